// Turns a checked configuration into agents on a runtime: makes the models, registers every agent type and its
// subscriptions. Works with any Runtime, so a worker process and `parley up --standalone` host agents alike.
// Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>

#include "agents/host/agents_config.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "monitoring/worker_metrics.hpp"

namespace parley::host {

class AgentHost {
 public:
  /// All must outlive the host, and the host must outlive the runtimes it hosts on. Without metrics nothing is counted.
  AgentHost(asio::io_context& io, const Clock& clock, monitoring::WorkerMetrics* metrics = nullptr);
  AgentHost(const AgentHost&) = delete;
  AgentHost& operator=(const AgentHost&) = delete;
  ~AgentHost();

  /// Makes the models of `config`. Fails with `bad_configuration` naming file and model, for example when an API key is
  /// not in the environment. Call it before host(), so that a wrong configuration ends the process before it connects.
  Result<> prepare(const AgentsConfig& config);

  /// Registers the agents of a prepared configuration. A type that `runtime` already hosts (another worker of the same
  /// suite has it, too) is left as it is.
  Task<Result<>> host(Runtime& runtime, const AgentsConfig& config);

  /// Makes the runtime report its turns to the metrics, and copies its gauges once a second, until the runtime ends.
  /// `runtime` must outlive the io_context's run.
  void observe(Runtime& runtime);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::host
