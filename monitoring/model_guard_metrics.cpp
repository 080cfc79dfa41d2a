#include "monitoring/model_guard_metrics.hpp"

#include "monitoring/metric_family.hpp"

namespace parley::monitoring {

ModelGuardMetrics::ModelGuardMetrics(prometheus::Registry& registry)
    : circuit_state_(gauge_family(registry, "parley_model_circuit_state")),
      circuit_refusals_(counter_family(registry, "parley_model_circuit_refusals_total")),
      running_(gauge_family(registry, "parley_model_running_calls")),
      waiting_(gauge_family(registry, "parley_model_waiting_calls")),
      queue_refusals_(counter_family(registry, "parley_model_queue_refusals_total")),
      cache_lookups_(counter_family(registry, "parley_model_cache_lookups_total")),
      fallbacks_(counter_family(registry, "parley_model_fallbacks_total")) {}

const ModelGuardMetrics::Series& ModelGuardMetrics::series_of(std::string_view configured_model) {
  const auto known = series_.find(configured_model);
  if (known != series_.end()) return known->second;
  const prometheus::Labels labels{{"configured_model", std::string(configured_model)}};
  prometheus::Labels hit = labels;
  hit["result"] = "hit";
  prometheus::Labels miss = labels;
  miss["result"] = "miss";
  Series series;
  series.circuit_state = &circuit_state_.Add(labels);
  series.circuit_refusals = &circuit_refusals_.Add(labels);
  series.running = &running_.Add(labels);
  series.waiting = &waiting_.Add(labels);
  series.queue_refusals = &queue_refusals_.Add(labels);
  series.cache_hits = &cache_lookups_.Add(hit);
  series.cache_misses = &cache_lookups_.Add(miss);
  series.fallbacks = &fallbacks_.Add(labels);
  return series_.emplace(configured_model, series).first->second;
}

}  // namespace parley::monitoring
