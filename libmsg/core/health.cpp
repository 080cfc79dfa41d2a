#include "libmsg/core/health.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "libmsg/core/duration.hpp"

namespace parley {
namespace {

constexpr std::array kStates{HealthState::starting,  HealthState::healthy, HealthState::degraded,
                             HealthState::unhealthy, HealthState::stopped, HealthState::quarantined};
constexpr std::array<std::string_view, kStates.size()> kStateNames{"starting",  "healthy", "degraded",
                                                                   "unhealthy", "stopped", "quarantined"};

constexpr std::array kCauses{HealthCause::none,        HealthCause::quarantine,    HealthCause::stop,
                             HealthCause::gone,        HealthCause::start_timeout, HealthCause::silence,
                             HealthCause::no_progress, HealthCause::loop_lag,      HealthCause::memory,
                             HealthCause::failures,    HealthCause::model_failures};
constexpr std::array<std::string_view, kCauses.size()> kCauseNames{
    "none",        "quarantine", "stop",   "gone",     "start_timeout", "silence",
    "no_progress", "loop_lag",   "memory", "failures", "model_failures"};

/// The enumerator whose name stands at the same place.
template <class Value, std::size_t Size>
std::optional<Value> find(std::string_view name, const std::array<std::string_view, Size>& names,
                          const std::array<Value, Size>& values) {
  const auto* const it = std::ranges::find(names, name);
  if (it == names.end()) return std::nullopt;
  return values[static_cast<std::size_t>(it - names.begin())];
}

/// Tenths of a second for short times, whole seconds for long ones.
std::string text_of(Duration duration) {
  const auto unit = duration < std::chrono::seconds(10) ? std::chrono::milliseconds(100) : std::chrono::seconds(1);
  return format_duration(std::chrono::milliseconds(duration / unit * unit));
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20U) + " MiB"; }

HealthVerdict degraded(HealthCause cause, std::string reason) {
  return {HealthState::degraded, cause, std::move(reason), false};
}
HealthVerdict unhealthy(HealthCause cause, std::string reason) {
  return {HealthState::unhealthy, cause, std::move(reason), true};
}

HealthVerdict assess_start(const HealthFacts& facts, const HealthLimits& limits) {
  if (facts.age >= limits.start) {
    return unhealthy(HealthCause::start_timeout, "not ready " + text_of(facts.age) + " after its start");
  }
  return {HealthState::starting, HealthCause::none, "not ready yet", false};
}

HealthVerdict assess_silence(const HealthFacts& facts, const HealthLimits& limits) {
  const auto missed =
      static_cast<std::uint64_t>(std::max(facts.silence, Duration::zero()) / std::max(limits.heartbeat, Duration(1)));
  if (missed < std::min(limits.missed_degraded, limits.missed_unhealthy)) return {};
  std::string reason = "nothing heard for " + text_of(facts.silence);
  return missed >= limits.missed_unhealthy ? unhealthy(HealthCause::silence, std::move(reason))
                                           : degraded(HealthCause::silence, std::move(reason));
}

HealthVerdict assess_progress(const HealthFacts& facts, const HealthLimits& limits) {
  const Duration limit = facts.progress_limit > Duration::zero() ? facts.progress_limit : limits.progress;
  if (facts.without_progress <= limit) return {};
  return unhealthy(HealthCause::no_progress, "a handler has made no progress for " + text_of(facts.without_progress));
}

HealthVerdict assess_loop(const HealthFacts& facts, const HealthLimits& limits) {
  if (facts.loop_lag < std::min(limits.loop_lag_degraded, limits.loop_lag_unhealthy)) return {};
  std::string reason = "a handler has kept the loop busy for " + text_of(facts.loop_lag);
  return facts.loop_lag >= limits.loop_lag_unhealthy ? unhealthy(HealthCause::loop_lag, std::move(reason))
                                                     : degraded(HealthCause::loop_lag, std::move(reason));
}

HealthVerdict assess_memory(const HealthFacts& facts, const HealthLimits& limits) {
  if (facts.memory_limit_bytes == 0) return {};
  std::string reason = mebibytes(facts.rss_bytes) + " of " + mebibytes(facts.memory_limit_bytes) + " memory in use";
  if (facts.rss_bytes > facts.memory_limit_bytes) return unhealthy(HealthCause::memory, std::move(reason));
  // In this order a limit of many petabytes does not overflow.
  if (facts.rss_bytes <= facts.memory_limit_bytes / 100 * limits.memory_degraded_percent) return {};
  return degraded(HealthCause::memory, std::move(reason));
}

HealthVerdict assess_failures(const HealthFacts& facts, const HealthLimits& limits) {
  if (facts.consecutive_failures < limits.failures_unhealthy) return {};
  return unhealthy(HealthCause::failures, std::to_string(facts.consecutive_failures) + " failures in a row");
}

HealthVerdict assess_model(const HealthFacts& facts, const HealthLimits& limits) {
  if (facts.consecutive_model_failures < limits.model_failures_degraded) return {};
  return degraded(HealthCause::model_failures,
                  "the model failed " + std::to_string(facts.consecutive_model_failures) + " times in a row");
}

/// From good to bad.
int badness(HealthState state) {
  switch (state) {
    case HealthState::healthy:
      return 0;
    case HealthState::starting:
      return 1;
    case HealthState::degraded:
      return 2;
    case HealthState::stopped:
      return 3;
    case HealthState::quarantined:
      return 4;
    case HealthState::unhealthy:
      return 5;
  }
  return 5;
}

}  // namespace

std::string_view to_string(HealthState state) { return kStateNames[static_cast<std::size_t>(state)]; }
std::optional<HealthState> health_state_from_string(std::string_view name) { return find(name, kStateNames, kStates); }
std::span<const HealthState> all_health_states() { return kStates; }

std::string_view to_string(HealthCause cause) { return kCauseNames[static_cast<std::size_t>(cause)]; }
std::optional<HealthCause> health_cause_from_string(std::string_view name) { return find(name, kCauseNames, kCauses); }
std::span<const HealthCause> all_health_causes() { return kCauses; }

HealthVerdict worse_of(HealthVerdict first, HealthVerdict second) {
  return badness(second.state) > badness(first.state) ? std::move(second) : std::move(first);
}

HealthVerdict assess(const HealthFacts& facts, const HealthLimits& limits) {
  if (facts.is_quarantined) {
    return {HealthState::quarantined, HealthCause::quarantine, "taken out of service", false};
  }
  if (facts.is_stopped) return {HealthState::stopped, HealthCause::stop, "stopped as asked", false};
  if (facts.is_gone) return unhealthy(HealthCause::gone, "it is gone");
  if (!facts.has_been_ready) return assess_start(facts, limits);
  HealthVerdict verdict = assess_silence(facts, limits);
  for (const auto& judge : {assess_progress, assess_loop, assess_memory, assess_failures, assess_model}) {
    verdict = worse_of(std::move(verdict), judge(facts, limits));
  }
  return verdict;
}

}  // namespace parley
