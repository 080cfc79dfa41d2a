// What a worker process tells Prometheus about its agents and models; monitoring/METRICS.md explains each metric.
// Series of an agent type appear with 0 when it is added and go when it is removed.
//
// Thread: one at a time (the worker's loop thread); the metrics page collects source() meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <prometheus/collectable.h>
#include <span>
#include <string_view>

#include "libmsg/core/clock.hpp"
#include "monitoring/budget_metrics.hpp"
#include "monitoring/conversation_metrics.hpp"
#include "monitoring/mcp_metrics.hpp"
#include "monitoring/model_guard_metrics.hpp"
#include "monitoring/model_metrics.hpp"
#include "monitoring/tool_metrics.hpp"

namespace parley::monitoring {

/// Gauges of one agent type.
struct AgentGauges {
  std::uint64_t activations = 0;
  std::uint64_t inflight = 0;
  std::uint64_t waiting = 0;
  Duration oldest_waiting{};
};

/// What a worker keeps for all of its agent types together, beside what it may keep.
struct KeptGauges {
  std::uint64_t max_activations = 0;
  std::uint64_t surplus_passivations = 0;  ///< since the start
  std::uint64_t saved_states = 0;
  std::uint64_t max_saved_states = 0;
  std::uint64_t saved_state_bytes = 0;
  std::uint64_t max_saved_state_bytes = 0;
  std::uint64_t dropped_states = 0;  ///< since the start
};

/// What the runtime has thrown away since the start.
struct DropNumbers {
  std::uint64_t stale_replies = 0;
  std::uint64_t late_answers = 0;
  std::uint64_t malformed = 0;
  std::uint64_t lost_waiting = 0;
  std::uint64_t publishes = 0;
};

/// What became of the spans of this process, since it began; and how many wait to be sent.
struct SpanNumbers {
  std::uint64_t exported = 0;
  std::uint64_t refused = 0;
  std::uint64_t dropped = 0;
  std::uint64_t waiting = 0;
};

class WorkerMetrics {
 public:
  WorkerMetrics();
  WorkerMetrics(const WorkerMetrics&) = delete;
  WorkerMetrics& operator=(const WorkerMetrics&) = delete;
  ~WorkerMetrics();

  /// Makes the series of an agent type appear with 0 before anything has happened.
  void add_agent_type(std::string_view agent_type);
  /// A model that the configuration lets an agent type call. Calls of any other are counted as model `other`.
  void add_model(std::string_view agent_type, ModelName model);
  /// What the worker does not host any more goes, with its models.
  void keep_agent_types(std::span<const std::string_view> hosted);

  /// Adds up a turn; the page counts it after the next publish_turns().
  void observe_turn(std::string_view agent_type, std::string_view outcome, Duration latency);
  void publish_turns();
  void observe_model_call(const ModelCall& call);
  /// Circuit, line, cache and fallbacks of a model of the configuration; valid as long as the metrics.
  const ModelGuardMetrics::Series& model_guards(std::string_view configured_model);
  /// A tool that the configuration lets an agent type use.
  void add_tool(std::string_view agent_type, std::string_view tool);
  void observe_tool_call(const ToolUse& use);
  /// Of an MCP server of the configuration; valid as long as the metrics.
  McpMetrics::Series& mcp_server(std::string_view name);
  void set_gauges(std::string_view agent_type, const AgentGauges& gauges);
  /// Questions to people that wait at this worker's desk, and the age of the oldest.
  void set_questions(std::size_t waiting, Duration oldest);
  void set_kept(const KeptGauges& kept);
  void set_drops(const DropNumbers& drops);
  void set_connected(bool is_connected);
  void set_spans(const SpanNumbers& spans);
  /// How late the loop's timer ran: the time that handlers kept the loop busy.
  void observe_loop_lag(Duration lag);

  /// Of the teams that this worker hosts.
  [[nodiscard]] ConversationMetrics& conversations();
  /// Of the calls that ask the ledger.
  [[nodiscard]] BudgetMetrics& budgets();

  [[nodiscard]] const prometheus::Collectable& source() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::monitoring
