// What a worker process tells Prometheus about its agents and models; monitoring/METRICS.md explains each metric.
// Thread: any (prometheus-cpp locks).
#pragma once

#include <cstdint>
#include <memory>
#include <prometheus/registry.h>
#include <string>
#include <string_view>

#include "libmsg/core/clock.hpp"

namespace parley::monitoring {

/// One finished or failed call of a chat model.
struct ModelCall {
  std::string_view agent_type;
  std::string_view model;    ///< its name in the configuration
  std::string_view outcome;  ///< `ok` or the error code's name
  Duration latency{};
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
};

/// Gauges of one agent type.
struct AgentGauges {
  std::uint64_t activations = 0;
  std::uint64_t inflight = 0;
  std::uint64_t waiting = 0;
};

class WorkerMetrics {
 public:
  explicit WorkerMetrics(std::string_view version);
  WorkerMetrics(const WorkerMetrics&) = delete;
  WorkerMetrics& operator=(const WorkerMetrics&) = delete;
  ~WorkerMetrics();

  /// Makes the series of an agent type appear with 0 before anything has happened.
  void add_agent_type(std::string_view agent_type);
  void observe_turn(std::string_view agent_type, std::string_view outcome, Duration latency);
  void observe_model_call(const ModelCall& call);
  void set_gauges(std::string_view agent_type, const AgentGauges& gauges);
  void set_connected(bool is_connected);
  /// How late the loop's timer ran: the time that handlers kept the loop busy.
  void observe_loop_lag(Duration lag);

  [[nodiscard]] const prometheus::Collectable& source() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::monitoring
