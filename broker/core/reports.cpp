#include "broker/core/reports.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "broker/core/health_watch.hpp"
#include "broker/core/id_text.hpp"

namespace parley::broker {
namespace {

constexpr std::uint32_t kMaxRows = 1000;

std::uint64_t to_ms(Duration duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration / std::chrono::milliseconds(1), 0));
}

const wire::TypeVitals* vitals_of(const Session& session, const AgentType& type) {
  if (!session.vitals) return nullptr;
  const auto it = std::ranges::find(session.vitals->types, type.name, &wire::TypeVitals::name);
  return it == session.vitals->types.end() ? nullptr : &*it;
}

Duration age_of_first(const State& state, const DeliveryList& list) {
  return list.head == kNil ? Duration::zero() : state.now - state.deliveries[list.head].waiting_since;
}

Duration oldest_in_mailboxes(const State& state, const Session& session, const wire::TypeVitals& vitals) {
  if (vitals.waiting == 0) return Duration::zero();
  constexpr std::uint64_t kMostMs = std::uint64_t{10'000} * 3'600'000;  // The number is from outside: no overflow.
  return std::chrono::milliseconds(std::min(vitals.oldest_waiting_ms, kMostMs)) + (state.now - session.last_heartbeat);
}

}  // namespace

Duration oldest_waiting(const State& state, const AgentType& type) {
  Duration oldest = age_of_first(state, type.parked);
  if (type.waiting > type.parked.count) {
    for (const std::uint32_t slot : state.holding) {
      const Activation& activation = state.directory[slot];
      if (activation.type == type.index) oldest = std::max(oldest, age_of_first(state, *activation.held));
    }
  }
  for (const Hosting& hosting : type.hostings) {
    const Session& session = *state.sessions.all()[hosting.session];
    if (const auto* vitals = vitals_of(session, type)) {
      oldest = std::max(oldest, oldest_in_mailboxes(state, session, *vitals));
    }
  }
  return oldest;
}

std::uint64_t mailbox_depth(const State& state, const AgentType& type) {
  std::uint64_t depth = type.waiting;
  for (const Hosting& hosting : type.hostings) {
    if (const auto* vitals = vitals_of(*state.sessions.all()[hosting.session], type)) depth += vitals->waiting;
  }
  return depth;
}

Result<Reports::Answer> Reports::answer(const wire::Query& query) const {
  const std::uint32_t limit = std::min(query.limit, kMaxRows);
  if (query.what == "ps") return Answer{"parley.PsReport", encode_body(ps())};
  if (query.what == "trace") return Answer{"parley.TraceReport", encode_body(state_.traces.find(query.key, limit))};
  if (query.what == "where") return Answer{"parley.WhereReport", encode_body(where(query.key))};
  if (query.what == "dead_letters") {
    return Answer{"parley.DeadLetterReport", encode_body(state_.dead_letters.list(query.after, limit))};
  }
  if (query.what == "dead_letter") {
    std::uint64_t id = 0;
    const char* const end = query.key.data() + query.key.size();
    const auto parsed = std::from_chars(query.key.data(), end, id);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
      return fail(ErrorCode::invalid, "a dead letter's id is a number");
    return Answer{"parley.DeadLetterReport", encode_body(state_.dead_letters.show(id))};
  }
  return fail(ErrorCode::invalid, "a query is one of ps, trace, where, activation, dead_letters, dead_letter");
}

wire::WhereReport Reports::where(std::string_view id) const {
  wire::WhereReport report;
  report.id = whole_id(id);
  const std::uint32_t slot = state_.directory.find(report.id);
  if (slot == kNil) return report;
  const Activation& activation = state_.directory[slot];
  if (activation.worker != kNil) report.worker = state_.sessions.all()[activation.worker]->name;
  report.epoch = activation.epoch.value();
  return report;
}

wire::PsPeer Reports::peer(const Session& session) const {
  wire::PsPeer row;
  row.name = session.name;
  row.incarnation = session.incarnation;
  row.is_worker = session.is_worker;
  row.is_draining = session.is_draining;
  for (const auto& [index, recipient] : session.types) {
    row.types.push_back(state_.registry.all()[static_cast<std::size_t>(index)]->name);
  }
  std::ranges::sort(row.types);
  row.activations = session.activations.count;
  row.inflight = session.deliveries.count;
  row.queued_bytes = session.out.bytes();
  row.oldest_queued_ms = to_ms(session.out.oldest_waiting(state_.now));
  row.idle_ms = to_ms(state_.now - session.last_heard);
  row.uptime_ms = to_ms(state_.now - session.opened);
  row.health = to_string(session.health.state);
  row.health_reason = session.health.reason;
  row.health_cause = to_string(session.health.cause);
  row.should_restart = session.health.should_restart;
  row.has_vitals = session.vitals != nullptr;
  if (session.vitals) row.vitals = *session.vitals;
  return row;
}

wire::PsType Reports::type(const AgentType& agent_type) const {
  wire::PsType row;
  row.name = agent_type.name;
  row.capabilities = agent_type.capabilities;
  row.workers = static_cast<std::uint32_t>(agent_type.hostings.size());
  row.activations = agent_type.leaving;
  for (const Hosting& hosting : agent_type.hostings) row.activations += hosting.activations;
  row.inflight = agent_type.inflight;
  row.parked = agent_type.waiting;
  row.requests = agent_type.requests;
  row.failures = agent_type.failures;
  row.mailbox_depth = mailbox_depth(state_, agent_type);
  row.oldest_waiting_ms = to_ms(oldest_waiting(state_, agent_type));
  add_health(agent_type, row);
  return row;
}

void Reports::add_health(const AgentType& agent_type, wire::PsType& row) const {
  for (const Hosting& hosting : agent_type.hostings) {
    const auto* const vitals = vitals_of(*state_.sessions.all()[hosting.session], agent_type);
    if (vitals == nullptr) continue;
    row.latency_p50_us = std::max(row.latency_p50_us, vitals->latency_p50_us);
    row.latency_p95_us = std::max(row.latency_p95_us, vitals->latency_p95_us);
    row.input_tokens += vitals->input_tokens;
    row.output_tokens += vitals->output_tokens;
    row.cost_nano_usd += vitals->cost_nano_usd;
  }
  HealthVerdict verdict = verdict_on(state_, agent_type);
  row.health = to_string(verdict.state);
  row.health_reason = std::move(verdict.reason);
}

wire::PsReport Reports::ps() const {
  wire::PsReport report;
  report.shard_epoch = state_.config.shard_epoch;
  report.uptime_ms = to_ms(state_.now - state_.started);
  report.is_recovering = state_.is_recovering;
  for (const auto& session : state_.sessions.all()) {
    if (session) report.peers.push_back(peer(*session));
  }
  for (const auto& agent_type : state_.registry.all()) {
    if (agent_type && (agent_type->is_known() || agent_type->leaving > 0)) report.types.push_back(type(*agent_type));
  }
  std::ranges::sort(report.types, {}, &wire::PsType::name);
  report.numbers = numbers();
  report.quarantines = state_.quarantines.list();
  report.losses.assign(state_.losses.begin(), state_.losses.end());
  return report;
}

std::uint64_t Reports::waiting() const {
  std::uint64_t count = state_.recovering.count;
  for (const auto& agent_type : state_.registry.all()) {
    if (agent_type) count += agent_type->waiting;
  }
  return count;
}

std::uint64_t Reports::queued_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& session : state_.sessions.all()) {
    if (session) bytes += session->out.bytes();
  }
  return bytes;
}

Duration Reports::oldest_of_all() const {
  Duration oldest = age_of_first(state_, state_.recovering);
  for (const auto& agent_type : state_.registry.all()) {
    if (agent_type) oldest = std::max(oldest, age_of_first(state_, agent_type->parked));
  }
  for (const std::uint32_t slot : state_.holding) {
    oldest = std::max(oldest, age_of_first(state_, *state_.directory[slot].held));
  }
  for (const auto& session : state_.sessions.all()) {
    if (!session) continue;
    oldest = std::max(oldest, session->out.oldest_waiting(state_.now));
    if (!session->vitals) continue;
    for (const wire::TypeVitals& vitals : session->vitals->types) {
      oldest = std::max(oldest, oldest_in_mailboxes(state_, *session, vitals));
    }
  }
  return oldest;
}

std::vector<wire::NamedNumber> Reports::numbers() const {
  const Counters& counters = state_.counters;
  return {
      {"parley_broker_requests_total", counters.requests},
      {"parley_broker_sends_total", counters.sends},
      {"parley_broker_events_total", counters.events},
      {"parley_broker_deliveries_total", counters.deliveries},
      {"parley_broker_replies_total", counters.replies},
      {"parley_broker_parts_total", counters.parts},
      {"parley_broker_errors_total", counters.errors},
      {"parley_broker_cancels_total", counters.cancels},
      {"parley_broker_done_total", counters.done},
      {"parley_broker_timeouts_total", counters.timeouts},
      {"parley_broker_overloaded_total", counters.overloaded},
      {"parley_broker_worker_lost_total", counters.worker_lost},
      {"parley_broker_dead_letters_total", state_.dead_letters.total()},
      {"parley_broker_dead_letters", state_.dead_letters.kept()},
      {"parley_broker_stale_replies_total", counters.stale_replies},
      {"parley_broker_invalid_frames_total", counters.invalid_frames},
      {"parley_broker_unknown_kinds_total", counters.unknown_kinds},
      {"parley_broker_resets_total", counters.resets},
      {"parley_broker_discarded_frames_total", counters.discarded_frames},
      {"parley_broker_frames_in_total", counters.frames_in},
      {"parley_broker_frames_out_total", counters.frames_out},
      {"parley_broker_in_bytes_total", counters.bytes_in},
      {"parley_broker_out_bytes_total", counters.bytes_out},
      {"parley_broker_sessions_opened_total", counters.sessions_opened},
      {"parley_broker_sessions_lost_total", counters.sessions_lost},
      {"parley_broker_activations_started_total", counters.activations_started},
      {"parley_broker_evictions_total", counters.evictions},
      {"parley_broker_parkings_total", counters.parkings},
      {"parley_broker_pauses_total", counters.pauses},
      {"parley_broker_heartbeats_total", counters.heartbeats},
      {"parley_broker_trace_hops_total", state_.traces.total()},
      {"parley_broker_sessions", state_.sessions.size()},
      {"parley_broker_agent_types", state_.registry.size()},
      {"parley_broker_subscriptions", state_.subscriptions.size()},
      {"parley_broker_activations", state_.directory.size()},
      {"parley_broker_fenced_activations", state_.fenced.count},
      {"parley_broker_inflight", state_.deliveries.size()},
      {"parley_broker_parked", waiting()},
      {"parley_broker_queued_bytes", queued_bytes()},
      {"parley_broker_oldest_waiting_seconds", static_cast<std::uint64_t>(oldest_of_all() / std::chrono::seconds(1))},
      {"parley_broker_quarantines", state_.quarantines.size()},
  };
}

}  // namespace parley::broker
