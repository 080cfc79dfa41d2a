// What stands between agents and their models, in numbers: circuit breakers, lines of waiting calls, caches, fallback
// chains. One set of series for each model of the configuration, 0 for what it does not have.
//
// Used by WorkerMetrics, whose thread rule holds: one thread at a time; the metrics page may collect meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <string>
#include <string_view>

namespace parley::monitoring {

class ModelGuardMetrics {
 public:
  /// Of one model; valid as long as the metrics.
  struct Series {
    prometheus::Gauge* circuit_state = nullptr;  ///< 0 closed, 1 half open, 2 open
    prometheus::Counter* circuit_refusals = nullptr;
    prometheus::Gauge* running = nullptr;
    prometheus::Gauge* waiting = nullptr;
    prometheus::Counter* queue_refusals = nullptr;
    prometheus::Counter* cache_hits = nullptr;
    prometheus::Counter* cache_misses = nullptr;
    prometheus::Counter* fallbacks = nullptr;
  };

  /// The registry must outlive it.
  explicit ModelGuardMetrics(prometheus::Registry& registry);

  /// The series of a model by its name in the configuration; they appear with 0.
  const Series& series_of(std::string_view configured_model);

 private:
  prometheus::Family<prometheus::Gauge>& circuit_state_;
  prometheus::Family<prometheus::Counter>& circuit_refusals_;
  prometheus::Family<prometheus::Gauge>& running_;
  prometheus::Family<prometheus::Gauge>& waiting_;
  prometheus::Family<prometheus::Counter>& queue_refusals_;
  prometheus::Family<prometheus::Counter>& cache_lookups_;
  prometheus::Family<prometheus::Counter>& fallbacks_;
  std::map<std::string, Series, std::less<>> series_;
};

}  // namespace parley::monitoring
