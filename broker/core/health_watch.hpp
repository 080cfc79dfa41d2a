// How the sessions are: keeps what they tell with their heartbeats, asks the one model of health
// (libmsg/core/health.hpp), and lets placement know which workers to prefer. One thread.
#pragma once

#include "broker/core/state.hpp"
#include "libmsg/core/health.hpp"

namespace parley::broker {

class HealthWatch {
 public:
  /// `state` must outlive the watch.
  explicit HealthWatch(State& state) : state_(state) {}

  /// HEARTBEAT: a malformed body is counted, and the heartbeat counts all the same.
  void on_heartbeat(Session& session, const wire::EnvelopeView& envelope);
  /// Silence grows without a message; also notes what has changed since the last sweep.
  void sweep();

 private:
  void assess(Session& session);
  void rate_hostings(Session& session);

  State& state_;
};

/// What the broker itself knows about a session.
[[nodiscard]] HealthFacts known_facts(const State& state, const Session& session);
[[nodiscard]] HealthLimits health_limits(const State& state);
/// One agent type as one session hosts it.
[[nodiscard]] HealthVerdict verdict_on(const State& state, const Session& session, const AgentType& type);
/// One agent type on all its workers: the worst of them; `stopped` without one, `quarantined` when somebody said so.
[[nodiscard]] HealthVerdict verdict_on(const State& state, const AgentType& type);

}  // namespace parley::broker
