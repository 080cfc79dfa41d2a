// What every process says about itself: which program and version it is, and what the kernel knows about it, by the
// names of Prometheus's own client libraries: memory, processor time, open files. Read from /proc at each look.
// Thread: any.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <string>
#include <string_view>
#include <vector>

namespace parley::monitoring {

class ProcessMetrics final : public prometheus::Collectable {
 public:
  /// `program` is what parley_build_info calls it: `parley-broker`.
  explicit ProcessMetrics(std::string_view program);

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  prometheus::MetricFamily build_;
  double start_time_seconds_;
};

}  // namespace parley::monitoring
