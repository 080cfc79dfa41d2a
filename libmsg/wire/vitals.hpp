// What a process tells about itself in the payload of each HEARTBEAT, and its way into the model of health
// (libmsg/core/health.hpp). Every field has a default, so that a peer which tells less, or nothing, counts as well as
// its heartbeats say. PROTOCOL.md §Vitals has the fields. Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libmsg/core/health.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::wire {

/// Bounds of one WorkerVitals; a writer leaves out what goes beyond, the least telling first.
inline constexpr std::size_t kMaxVitalsExecuting = 16;
inline constexpr std::size_t kMaxVitalsTypes = 256;
inline constexpr std::size_t kMaxVitalsActivations = 16;

/// One agent type of a process, since the process started. A failure is one of the agent's own; failures of the model
/// that it asks are counted apart, and neither counts what the caller did wrong or took back.
struct TypeVitals {
  std::string name;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t model_failures = 0;
  std::uint32_t consecutive_failures = 0;        ///< since the last success
  std::uint32_t consecutive_model_failures = 0;  ///< since the last success
  std::uint32_t inflight = 0;                    ///< turns under way
  std::uint32_t waiting = 0;                     ///< messages in mailboxes
  /// Of the turns under way, the longest time without a sign of progress; 0 when there is none.
  std::uint64_t oldest_without_progress_ms = 0;
  std::uint64_t progress_limit_ms = 0;  ///< how long that may be; 0: the reader's own limit
  std::uint64_t last_activity_ms = 0;   ///< wall clock, ms since 1970; 0: none yet
  std::uint64_t latency_avg_us = 0;     ///< of recent turns, from arrival to end, waiting included
  std::uint64_t latency_p50_us = 0;
  std::uint64_t latency_p95_us = 0;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t cost_nano_usd = 0;
  std::uint64_t oldest_waiting_ms = 0;  ///< since the oldest message in a mailbox arrived there; 0 when there is none
  PARLEY_FIELDS(name, successes, failures, model_failures, consecutive_failures, consecutive_model_failures, inflight,
                waiting, oldest_without_progress_ms, progress_limit_ms, last_activity_ms, latency_avg_us,
                latency_p50_us, latency_p95_us, input_tokens, output_tokens, cost_nano_usd, oldest_waiting_ms)
  friend bool operator==(const TypeVitals&, const TypeVitals&) = default;
};

/// One activation: of a heartbeat one that is worth a look, failing or long at work; of INSPECT the one asked about.
struct ActivationVitals {
  std::string id;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint32_t consecutive_failures = 0;
  std::uint32_t consecutive_model_failures = 0;
  std::uint32_t waiting = 0;
  std::uint64_t without_progress_ms = 0;
  std::uint64_t last_activity_ms = 0;  ///< wall clock, ms since 1970; 0: none yet
  std::uint64_t latency_avg_us = 0;
  std::uint64_t latency_p95_us = 0;
  std::uint64_t model_failures = 0;
  std::uint32_t inflight = 0;           ///< turns under way
  std::uint64_t oldest_waiting_ms = 0;  ///< since the oldest message in its mailbox arrived; 0 when there is none
  PARLEY_FIELDS(id, successes, failures, consecutive_failures, consecutive_model_failures, waiting, without_progress_ms,
                last_activity_ms, latency_avg_us, latency_p95_us, model_failures, inflight, oldest_waiting_ms)
  friend bool operator==(const ActivationVitals&, const ActivationVitals&) = default;
};

/// The payload of HEARTBEAT.
struct WorkerVitals {
  std::uint32_t pid = 0;  ///< 0: not told
  bool has_been_ready = true;
  std::uint64_t loop_lag_ms = 0;  ///< grows for as long as a handler keeps the loop to itself
  std::uint64_t rss_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;  ///< 0: none
  std::vector<std::string> executing{};  ///< agent ids in a turn now, the longest at work first
  std::vector<TypeVitals> types{};
  std::vector<ActivationVitals> activations{};  ///< the worst ones
  bool can_be_inspected = false;                ///< it answers INSPECT
  PARLEY_FIELDS(pid, has_been_ready, loop_lag_ms, rss_bytes, memory_limit_bytes, executing, types, activations,
                can_be_inspected)
  friend bool operator==(const WorkerVitals&, const WorkerVitals&) = default;
};

/// Cuts what goes beyond the bounds above, as a reader must.
void clip(WorkerVitals& vitals);

/// What the vitals say about the process itself, added to what is `known` from elsewhere (silence, quarantine, …).
[[nodiscard]] HealthFacts facts_of(const WorkerVitals& vitals, HealthFacts known = {});

/// The process as a whole: itself and each of its agent types; the reason names the type.
[[nodiscard]] HealthVerdict assess(const WorkerVitals& vitals, const HealthFacts& known, const HealthLimits& limits);

/// One of its agent types: the type's own facts, and the process's, without which it cannot work.
[[nodiscard]] HealthVerdict assess(const WorkerVitals& vitals, const TypeVitals& type, const HealthFacts& known,
                                   const HealthLimits& limits);

}  // namespace parley::wire
