#include "monitoring/worker_metrics.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "monitoring/metric_family.hpp"

namespace parley::monitoring {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;

// Turns take from microseconds (a router by phrases) to minutes (a model).
const Histogram::BucketBoundaries kTurnSeconds{0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1,
                                               0.3,    1,      3,     10,    30,   100,  300};
const Histogram::BucketBoundaries kLagSeconds{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10};

/// A counter that somebody else counts.
void catch_up(Counter& counter, std::uint64_t total) {
  counter.Increment(static_cast<double>(total) - counter.Value());
}

/// The turns of one outcome; those that the page does not count yet are pending.
struct TurnCount {
  Counter* counter = nullptr;
  std::uint64_t pending = 0;
};

/// Looked up once, so that a turn costs three plain additions: no label is hashed, and no atomic number or lock of the
/// page is touched before publish().
struct AgentSeries {
  std::map<std::string, TurnCount, std::less<>> turns;  ///< by outcome
  std::vector<double> pending_buckets = std::vector<double>(kTurnSeconds.size() + 1);
  double pending_seconds = 0;
  bool has_pending = false;
  Histogram* turn_seconds = nullptr;
  Gauge* activations = nullptr;
  Gauge* inflight = nullptr;
  Gauge* waiting = nullptr;
  Gauge* oldest_waiting = nullptr;

  void add(TurnCount& turns_so_far, double seconds) {
    const auto bucket = std::ranges::lower_bound(kTurnSeconds, seconds) - kTurnSeconds.begin();
    pending_buckets[static_cast<std::size_t>(bucket)] += 1;
    pending_seconds += seconds;
    turns_so_far.pending++;
    has_pending = true;
  }

  void publish() {
    if (!std::exchange(has_pending, false)) return;
    for (auto& [outcome, count] : turns) count.counter->Increment(static_cast<double>(std::exchange(count.pending, 0)));
    turn_seconds->ObserveMultiple(pending_buckets, std::exchange(pending_seconds, 0));
    std::ranges::fill(pending_buckets, 0);
  }
};

}  // namespace

class WorkerMetrics::Impl {
 public:
  prometheus::Registry registry;
  Gauge& connected = gauge_family(registry, "parley_worker_connected").Add({});
  Histogram& loop_lag = histogram_family(registry, "parley_loop_lag_seconds").Add({}, kLagSeconds);
  Gauge& questions_waiting = gauge_family(registry, "parley_human_questions_waiting").Add({});
  Gauge& oldest_question = gauge_family(registry, "parley_human_oldest_question_seconds").Add({});
  Gauge& max_activations = gauge_family(registry, "parley_worker_activations_limit").Add({});
  Counter& surplus = counter_family(registry, "parley_worker_surplus_passivations_total").Add({});
  Gauge& saved_states = gauge_family(registry, "parley_worker_saved_states").Add({});
  Gauge& max_saved_states = gauge_family(registry, "parley_worker_saved_states_limit").Add({});
  Gauge& saved_bytes = gauge_family(registry, "parley_worker_saved_state_bytes").Add({});
  Gauge& max_saved_bytes = gauge_family(registry, "parley_worker_saved_state_limit_bytes").Add({});
  Counter& dropped_states = counter_family(registry, "parley_worker_dropped_states_total").Add({});
  prometheus::Family<Counter>& drops = counter_family(registry, "parley_runtime_dropped_total");
  Counter& stale_replies = drops.Add({{"reason", "stale_reply"}});
  Counter& late_answers = drops.Add({{"reason", "late_answer"}});
  Counter& malformed = drops.Add({{"reason", "malformed"}});
  Counter& lost_waiting = drops.Add({{"reason", "session_lost"}});
  Counter& dropped_publishes = drops.Add({{"reason", "intercepted_event"}});
  prometheus::Family<Counter>& turns = counter_family(registry, "parley_agent_turns_total");
  prometheus::Family<Histogram>& turn_seconds = histogram_family(registry, "parley_agent_turn_seconds");
  prometheus::Family<Gauge>& activations = gauge_family(registry, "parley_agent_activations");
  prometheus::Family<Gauge>& inflight = gauge_family(registry, "parley_agent_inflight_messages");
  prometheus::Family<Gauge>& waiting = gauge_family(registry, "parley_agent_waiting_messages");
  prometheus::Family<Gauge>& oldest_waiting = gauge_family(registry, "parley_agent_oldest_waiting_seconds");
  prometheus::Family<Counter>& spans = counter_family(registry, "parley_telemetry_spans_total");
  Counter& spans_exported = spans.Add({{"outcome", "exported"}});
  Counter& spans_refused = spans.Add({{"outcome", "refused"}});
  Counter& spans_dropped = spans.Add({{"outcome", "dropped"}});
  Gauge& spans_waiting = gauge_family(registry, "parley_telemetry_waiting_spans").Add({});
  ModelMetrics models{registry};
  ConversationMetrics conversations{registry};
  BudgetMetrics budgets{registry};
  ModelGuardMetrics model_guards{registry};
  ToolMetrics tools{registry};
  McpMetrics mcp{registry};
  std::map<std::string, AgentSeries, std::less<>> agents;

  AgentSeries& series_of(std::string_view agent_type) {
    const auto known = agents.find(agent_type);
    if (known != agents.end()) return known->second;
    const Labels labels{{"agent_type", std::string(agent_type)}};
    AgentSeries series;
    series.turn_seconds = &turn_seconds.Add(labels, kTurnSeconds);
    series.activations = &activations.Add(labels);
    series.inflight = &inflight.Add(labels);
    series.waiting = &waiting.Add(labels);
    series.oldest_waiting = &oldest_waiting.Add(labels);
    AgentSeries& added = agents.emplace(agent_type, std::move(series)).first->second;
    turns_of(agent_type, added, "ok");
    return added;
  }

  TurnCount& turns_of(std::string_view agent_type, AgentSeries& series, std::string_view outcome) {
    const auto known = series.turns.find(outcome);
    if (known != series.turns.end()) return known->second;
    Counter& made = turns.Add({{"agent_type", std::string(agent_type)}, {"outcome", std::string(outcome)}});
    return series.turns.emplace(outcome, TurnCount{&made}).first->second;
  }

  void remove(const AgentSeries& series) {
    for (const auto& [outcome, count] : series.turns) turns.Remove(count.counter);
    turn_seconds.Remove(series.turn_seconds);
    activations.Remove(series.activations);
    inflight.Remove(series.inflight);
    waiting.Remove(series.waiting);
    oldest_waiting.Remove(series.oldest_waiting);
  }
};

WorkerMetrics::WorkerMetrics() : impl_(std::make_unique<Impl>()) {}
WorkerMetrics::~WorkerMetrics() = default;

void WorkerMetrics::add_agent_type(std::string_view agent_type) { impl_->series_of(agent_type); }

void WorkerMetrics::add_model(std::string_view agent_type, ModelName model) { impl_->models.add(agent_type, model); }

void WorkerMetrics::keep_agent_types(std::span<const std::string_view> hosted) {
  std::erase_if(impl_->agents, [&](const auto& agent) {
    if (std::ranges::find(hosted, agent.first) != hosted.end()) return false;
    impl_->models.remove_agent_type(agent.first);
    impl_->tools.remove_agent_type(agent.first);
    impl_->conversations.remove_agent_type(agent.first);
    impl_->remove(agent.second);
    return true;
  });
}

void WorkerMetrics::observe_turn(std::string_view agent_type, std::string_view outcome, Duration latency) {
  AgentSeries& series = impl_->series_of(agent_type);
  series.add(impl_->turns_of(agent_type, series, outcome), in_seconds(latency));
}

void WorkerMetrics::publish_turns() {
  for (auto& [agent_type, series] : impl_->agents) series.publish();
}

void WorkerMetrics::observe_model_call(const ModelCall& call) { impl_->models.observe(call); }

const ModelGuardMetrics::Series& WorkerMetrics::model_guards(std::string_view configured_model) {
  return impl_->model_guards.series_of(configured_model);
}

void WorkerMetrics::add_tool(std::string_view agent_type, std::string_view tool) { impl_->tools.add(agent_type, tool); }

void WorkerMetrics::observe_tool_call(const ToolUse& use) { impl_->tools.observe(use); }

McpMetrics::Series& WorkerMetrics::mcp_server(std::string_view name) { return impl_->mcp.series_of(name); }

void WorkerMetrics::set_gauges(std::string_view agent_type, const AgentGauges& gauges) {
  AgentSeries& series = impl_->series_of(agent_type);
  series.activations->Set(static_cast<double>(gauges.activations));
  series.inflight->Set(static_cast<double>(gauges.inflight));
  series.waiting->Set(static_cast<double>(gauges.waiting));
  series.oldest_waiting->Set(in_seconds(gauges.oldest_waiting));
}

ConversationMetrics& WorkerMetrics::conversations() { return impl_->conversations; }

BudgetMetrics& WorkerMetrics::budgets() { return impl_->budgets; }

void WorkerMetrics::set_questions(std::size_t waiting, Duration oldest) {
  impl_->questions_waiting.Set(static_cast<double>(waiting));
  impl_->oldest_question.Set(in_seconds(oldest));
}

void WorkerMetrics::set_kept(const KeptGauges& kept) {
  impl_->max_activations.Set(static_cast<double>(kept.max_activations));
  catch_up(impl_->surplus, kept.surplus_passivations);
  impl_->saved_states.Set(static_cast<double>(kept.saved_states));
  impl_->max_saved_states.Set(static_cast<double>(kept.max_saved_states));
  impl_->saved_bytes.Set(static_cast<double>(kept.saved_state_bytes));
  impl_->max_saved_bytes.Set(static_cast<double>(kept.max_saved_state_bytes));
  catch_up(impl_->dropped_states, kept.dropped_states);
}

void WorkerMetrics::set_drops(const DropNumbers& drops) {
  catch_up(impl_->stale_replies, drops.stale_replies);
  catch_up(impl_->late_answers, drops.late_answers);
  catch_up(impl_->malformed, drops.malformed);
  catch_up(impl_->lost_waiting, drops.lost_waiting);
  catch_up(impl_->dropped_publishes, drops.publishes);
}

void WorkerMetrics::set_spans(const SpanNumbers& spans) {
  catch_up(impl_->spans_exported, spans.exported);
  catch_up(impl_->spans_refused, spans.refused);
  catch_up(impl_->spans_dropped, spans.dropped);
  impl_->spans_waiting.Set(static_cast<double>(spans.waiting));
}

void WorkerMetrics::set_connected(bool is_connected) { impl_->connected.Set(is_connected ? 1 : 0); }

void WorkerMetrics::observe_loop_lag(Duration lag) { impl_->loop_lag.Observe(in_seconds(lag)); }

const prometheus::Collectable& WorkerMetrics::source() const { return impl_->registry; }

}  // namespace parley::monitoring
