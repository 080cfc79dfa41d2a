// Where a single-threaded core leaves its numbers for the metrics page: the owner posts a snapshot now and then (the
// broker once per tick), the metrics thread turns the last one into metrics. Names are those of METRICS.md; a name that
// ends in `_total` is a counter, any other a gauge. A name may carry labels: `parley_broker_x_total{code="timeout"}`.
// Thread: post() from any, Collect() from any.
#pragma once

#include <mutex>
#include <prometheus/collectable.h>
#include <string>
#include <utility>
#include <vector>

namespace parley::monitoring {

class NumberBoard final : public prometheus::Collectable {
 public:
  /// Replaces the snapshot. `numbers` is any range of things with a `name` and a `value` (broker::Core::numbers()).
  template <class Numbers>
  void post(const Numbers& numbers) {
    std::vector<std::pair<std::string, double>> snapshot;
    snapshot.reserve(numbers.size());
    for (const auto& number : numbers) snapshot.emplace_back(number.name, static_cast<double>(number.value));
    replace(std::move(snapshot));
  }

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  void replace(std::vector<std::pair<std::string, double>> snapshot);

  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, double>> snapshot_;  ///< guarded by mutex_
};

}  // namespace parley::monitoring
