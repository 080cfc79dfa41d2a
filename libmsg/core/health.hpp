// The one model of health: from what is known about a process or an agent type to a state, a reason and whether a
// restart can help. The broker (`parley ps`, metrics, placement), the worker (/readyz), the supervisor and `parley
// check` all ask assess(), so that they cannot disagree. Pure values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libmsg/core/clock.hpp"

namespace parley {

enum class HealthState : std::uint8_t {
  starting,     ///< not ready yet, and not for suspiciously long
  healthy,      ///< works, or is idle
  degraded,     ///< works, but a person should look: route less to it; a restart does not help
  unhealthy,    ///< does not work: route around it
  stopped,      ///< ended because somebody wanted it to
  quarantined,  ///< taken out of service by a person or the supervisor
};

/// The stable name, for example `degraded`; the names are part of `ps` and of metrics.
[[nodiscard]] std::string_view to_string(HealthState state);
/// The state of a stable name; nullopt for an unknown name.
[[nodiscard]] std::optional<HealthState> health_state_from_string(std::string_view name);
/// Every state, in the order above (for metrics and tests).
[[nodiscard]] std::span<const HealthState> all_health_states();

/// Why a state is not `healthy`: a closed set, fit for a metric's label.
enum class HealthCause : std::uint8_t {
  none,
  quarantine,      ///< somebody said so
  stop,            ///< somebody said so
  gone,            ///< the process ended, or its connection broke, and nobody had asked for it
  start_timeout,   ///< it did not get ready
  silence,         ///< heartbeats are missing
  no_progress,     ///< a handler has work in hand and nothing comes of it
  loop_lag,        ///< a handler keeps the loop to itself
  memory,          ///< near its limit, or over it
  failures,        ///< its own failures, one after the other
  model_failures,  ///< failures of the model it asks, one after the other
};

[[nodiscard]] std::string_view to_string(HealthCause cause);
[[nodiscard]] std::optional<HealthCause> health_cause_from_string(std::string_view name);
[[nodiscard]] std::span<const HealthCause> all_health_causes();

/// What is known about one process, or one agent type in it. The defaults are those of a healthy one, so whoever asks
/// fills in what it knows.
struct HealthFacts {
  bool is_quarantined = false;
  bool is_stopped = false;
  bool is_gone = false;
  bool has_been_ready = true;
  /// Since the process was started; looked at until it has been ready.
  Duration age{};
  /// Since anything was heard from it.
  Duration silence{};
  /// How late its loop is now, or was within the last heartbeat.
  Duration loop_lag{};
  /// Of the work in hand: how long the one that waits longest has shown no progress. Zero when there is none, however
  /// long ago the last work was: idle is not stale.
  Duration without_progress{};
  /// How long that may be; zero: HealthLimits::progress.
  Duration progress_limit{};
  /// Since its last success.
  std::uint32_t consecutive_failures = 0;
  std::uint32_t consecutive_model_failures = 0;
  std::uint64_t rss_bytes = 0;
  /// Zero: none.
  std::uint64_t memory_limit_bytes = 0;
};

/// Where the states begin. Missed heartbeats count whole intervals of silence.
struct HealthLimits {
  Duration heartbeat = std::chrono::seconds(1);
  std::uint32_t missed_degraded = 2;
  std::uint32_t missed_unhealthy = 3;
  Duration start = std::chrono::seconds(30);
  Duration progress = std::chrono::minutes(5);
  Duration loop_lag_degraded = std::chrono::seconds(1);
  Duration loop_lag_unhealthy = std::chrono::seconds(30);
  std::uint32_t failures_unhealthy = 5;
  std::uint32_t model_failures_degraded = 3;
  /// Of the memory limit.
  std::uint32_t memory_degraded_percent = 90;
};

struct HealthVerdict {
  HealthState state = HealthState::healthy;
  HealthCause cause = HealthCause::none;
  /// For a person, with the number that decided; empty when healthy.
  std::string reason;
  /// A new process can help. Never for what an upstream model does, nor against somebody's will.
  bool should_restart = false;
  friend bool operator==(const HealthVerdict&, const HealthVerdict&) = default;
};

/// What somebody wanted (quarantined, stopped) goes first, then the worst of what the facts show.
[[nodiscard]] HealthVerdict assess(const HealthFacts& facts, const HealthLimits& limits);

/// The verdict on two things together: the worse one, the first of equals. From good to bad: healthy, starting,
/// degraded, stopped, quarantined, unhealthy.
[[nodiscard]] HealthVerdict worse_of(HealthVerdict first, HealthVerdict second);

}  // namespace parley
