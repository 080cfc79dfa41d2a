// What the kernel knows about this process, by the names of Prometheus's own client libraries: memory, processor time,
// open files. Read from /proc at each look. Thread: any.
#pragma once

#include <prometheus/collectable.h>
#include <vector>

namespace parley::monitoring {

class ProcessMetrics final : public prometheus::Collectable {
 public:
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace parley::monitoring
