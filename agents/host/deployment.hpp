// Turns a checked configuration into agents on a runtime: makes the models, registers every agent type and its
// subscriptions. Works with any Runtime, so a worker process and `parley up --standalone` host agents alike:
//
//     host::Deployment deployment(io, clock, random);
//     Result<> prepared = deployment.prepare(config);          // models; keys in the environment
//     Result<> deployed = co_await deployment.deploy(runtime, config);
//
// Loop thread only (prepare() before the loop runs is fine, too).
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <memory>

#include "agents/host/agents_config.hpp"
#include "agents/people/question_board.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "monitoring/worker_metrics.hpp"

namespace parley::host {

/// For Deployment::stop().
inline constexpr std::chrono::milliseconds kToolGrace{1000};

class Deployment {
 public:
  /// All must outlive the deployment. Without metrics nothing is counted.
  Deployment(asio::io_context& io, const Clock& clock, Random& random, monitoring::WorkerMetrics* metrics = nullptr);
  /// Records the calls of models and tools; before prepare().
  void set_span_sink(std::shared_ptr<SpanSink> spans);
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;
  /// May end before the runtimes: their agents share what they need.
  ~Deployment();

  /// Makes the models that the agents of `config` use. Fails with `bad_configuration` naming file, line and model
  /// of everything that is missing, for example API keys that are not in the environment, so that a wrong configuration
  /// ends the process before it connects.
  Result<> prepare(const AgentsConfig& config);

  /// Registers the agents of a prepared configuration and makes their subscriptions. A type that this deployment has
  /// registered already (another worker of a standalone suite has it, too) is left as it is.
  Task<Result<>> deploy(Runtime& runtime, const AgentsConfig& config);

  /// Before the loop ends: says goodbye to servers that keep sessions for tools. Takes at most `limit`.
  Task<> stop(std::chrono::milliseconds limit);

  /// The questions to people that wait at this process's desk; empty without one.
  [[nodiscard]] const people::QuestionBoard& questions() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::host
