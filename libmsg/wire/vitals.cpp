#include "libmsg/wire/vitals.hpp"

#include <algorithm>
#include <utility>

namespace parley::wire {
namespace {

/// A number from outside as a duration, without overflow.
Duration milliseconds(std::uint64_t count) {
  constexpr std::uint64_t kMost = std::uint64_t{10'000} * 3'600'000;
  return std::chrono::milliseconds(std::min(count, kMost));
}

HealthVerdict assess_alone(const TypeVitals& type, const HealthLimits& limits) {
  HealthFacts facts;
  facts.without_progress = milliseconds(type.oldest_without_progress_ms);
  facts.progress_limit = milliseconds(type.progress_limit_ms);
  facts.consecutive_failures = type.consecutive_failures;
  facts.consecutive_model_failures = type.consecutive_model_failures;
  return parley::assess(facts, limits);
}

}  // namespace

void clip(WorkerVitals& vitals) {
  vitals.executing.resize(std::min(vitals.executing.size(), kMaxVitalsExecuting));
  vitals.types.resize(std::min(vitals.types.size(), kMaxVitalsTypes));
  vitals.activations.resize(std::min(vitals.activations.size(), kMaxVitalsActivations));
}

HealthFacts facts_of(const WorkerVitals& vitals, HealthFacts known) {
  known.has_been_ready = known.has_been_ready && vitals.has_been_ready;
  known.loop_lag = std::max(known.loop_lag, milliseconds(vitals.loop_lag_ms));
  known.rss_bytes = vitals.rss_bytes;
  known.memory_limit_bytes = vitals.memory_limit_bytes;
  return known;
}

HealthVerdict assess(const WorkerVitals& vitals, const HealthFacts& known, const HealthLimits& limits) {
  HealthVerdict verdict = parley::assess(facts_of(vitals, known), limits);
  // Nothing that a type does matters for a process that is out of service.
  if (verdict.cause == HealthCause::quarantine || verdict.cause == HealthCause::stop) return verdict;
  for (const TypeVitals& type : vitals.types) {
    HealthVerdict of_type = assess_alone(type, limits);
    if (!of_type.reason.empty()) of_type.reason = type.name + ": " + of_type.reason;
    verdict = worse_of(std::move(verdict), std::move(of_type));
  }
  return verdict;
}

HealthVerdict assess(const WorkerVitals& vitals, const TypeVitals& type, const HealthFacts& known,
                     const HealthLimits& limits) {
  HealthVerdict verdict = parley::assess(facts_of(vitals, known), limits);
  if (verdict.cause == HealthCause::quarantine || verdict.cause == HealthCause::stop) return verdict;
  return worse_of(std::move(verdict), assess_alone(type, limits));
}

}  // namespace parley::wire
