#include "broker/core/health_watch.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace parley::broker {
namespace {

const wire::TypeVitals* find_type(const Session& session, const std::string& name) {
  if (!session.vitals) return nullptr;
  const auto it = std::ranges::find(session.vitals->types, name, &wire::TypeVitals::name);
  return it == session.vitals->types.end() ? nullptr : &*it;
}

Fitness fitness_of(HealthState state) {
  switch (state) {
    case HealthState::starting:
    case HealthState::healthy:
      return Fitness::good;
    case HealthState::degraded:
      return Fitness::degraded;
    case HealthState::unhealthy:
    case HealthState::stopped:
    case HealthState::quarantined:
      break;
  }
  return Fitness::unfit;
}

}  // namespace

HealthLimits health_limits(const State& state) {
  HealthLimits limits = state.config.health;
  limits.heartbeat = state.config.heartbeat_interval;
  return limits;
}

HealthFacts known_facts(const State& state, const Session& session) {
  HealthFacts facts;
  facts.silence = state.now - session.last_heard;
  facts.age = state.now - session.opened;
  return facts;
}

HealthVerdict verdict_on(const State& state, const Session& session, const AgentType& type) {
  const HealthFacts known = known_facts(state, session);
  const HealthLimits limits = health_limits(state);
  if (const wire::TypeVitals* const vitals = find_type(session, type.name)) {
    return wire::assess(*session.vitals, *vitals, known, limits);
  }
  return parley::assess(session.vitals ? wire::facts_of(*session.vitals, known) : known, limits);
}

HealthVerdict verdict_on(const State& state, const AgentType& type) {
  if (const wire::PsQuarantine* const quarantine = state.quarantines.find(type.name)) {
    HealthFacts facts;
    facts.is_quarantined = true;
    HealthVerdict verdict = parley::assess(facts, health_limits(state));
    if (!quarantine->reason.empty()) verdict.reason = quarantine->reason;
    return verdict;
  }
  if (type.hostings.empty()) return {HealthState::stopped, HealthCause::gone, "no worker hosts it now", false};
  HealthVerdict worst;
  for (const Hosting& hosting : type.hostings) {
    const Session& session = *state.sessions.all()[hosting.session];
    HealthVerdict verdict = verdict_on(state, session, type);
    if (!verdict.reason.empty()) verdict.reason = session.name + ": " + verdict.reason;
    worst = worse_of(std::move(worst), std::move(verdict));
  }
  return worst;
}

void HealthWatch::on_heartbeat(Session& session, const wire::EnvelopeView& envelope) {
  state_.counters.heartbeats++;
  const Bytes payload = envelope.payload();
  if (payload.empty()) return;
  auto vitals = payload.size() <= wire::kMaxControlBodyBytes
                    ? wire::decode_body<wire::WorkerVitals>(payload)
                    : Result<wire::WorkerVitals>(fail(ErrorCode::too_large, "the vitals are too large"));
  if (!vitals) {
    state_.counters.invalid_frames++;
    return;
  }
  wire::clip(*vitals);
  session.vitals = std::make_unique<wire::WorkerVitals>(std::move(*vitals));
  assess(session);
}

void HealthWatch::assess(Session& session) {
  const HealthFacts known = known_facts(state_, session);
  const HealthLimits limits = health_limits(state_);
  const HealthState before = session.health.state;
  session.health = session.vitals ? wire::assess(*session.vitals, known, limits) : parley::assess(known, limits);
  const bool is_calm = before == HealthState::healthy && session.health.state == HealthState::healthy;
  if (!is_calm) rate_hostings(session);
}

void HealthWatch::rate_hostings(Session& session) {
  for (const auto& [index, recipient] : session.types) {
    AgentType& type = state_.registry.at(static_cast<std::uint32_t>(index));
    if (Hosting* const hosting = type.hosting_of(session.slot)) {
      hosting->fitness = fitness_of(verdict_on(state_, session, type).state);
    }
  }
}

void HealthWatch::sweep() {
  for (const auto& session : state_.sessions.all()) {
    if (!session) continue;
    assess(*session);
    if (session->health.state == session->noted_health) continue;
    state_.note(CoreEvent::Type::health_changed, session->name,
                std::string(to_string(session->noted_health)) + " to " + std::string(to_string(session->health.state)) +
                    (session->health.reason.empty() ? "" : ": " + session->health.reason));
    session->noted_health = session->health.state;
  }
}

}  // namespace parley::broker
