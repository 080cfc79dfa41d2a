// Turns what a model's guards tell into metrics. Loop thread only.
#pragma once

#include "agents/llm/model_observer.hpp"
#include "monitoring/model_guard_metrics.hpp"

namespace parley::host {

class MetricsObserver final : public llm::ModelObserver {
 public:
  /// The metrics that the series belong to must outlive the observer.
  explicit MetricsObserver(const monitoring::ModelGuardMetrics::Series& series) : series_(series) {}

  void circuit_changed(llm::CircuitState state) override { series_.circuit_state->Set(static_cast<double>(state)); }
  void circuit_refused() override { series_.circuit_refusals->Increment(); }
  void queue_changed(std::size_t running, std::size_t waiting) override {
    series_.running->Set(static_cast<double>(running));
    series_.waiting->Set(static_cast<double>(waiting));
  }
  void queue_refused() override { series_.queue_refusals->Increment(); }
  void cache_hit() override { series_.cache_hits->Increment(); }
  void cache_missed() override { series_.cache_misses->Increment(); }
  void fell_back() override { series_.fallbacks->Increment(); }

 private:
  const monitoring::ModelGuardMetrics::Series& series_;
};

}  // namespace parley::host
