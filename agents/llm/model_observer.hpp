// What decorators of models tell whoever counts: one observer for each model of the configuration. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parley::llm {

enum class CircuitState : std::uint8_t { closed, half_open, open };

/// Every call does nothing unless it is overridden.
class ModelObserver {
 public:
  ModelObserver() = default;
  ModelObserver(const ModelObserver&) = delete;
  ModelObserver& operator=(const ModelObserver&) = delete;
  virtual ~ModelObserver() = default;

  virtual void circuit_changed(CircuitState /*state*/) {}
  virtual void circuit_refused() {}
  virtual void queue_changed(std::size_t /*running*/, std::size_t /*waiting*/) {}
  virtual void queue_refused() {}
  virtual void cache_hit() {}
  virtual void cache_missed() {}
  /// A chain has asked this model because the one before it failed.
  virtual void fell_back() {}
};

}  // namespace parley::llm
