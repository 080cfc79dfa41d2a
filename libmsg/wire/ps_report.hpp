// The answer to QUERY `ps`: what the broker knows about its peers, its agent types and itself, for `parley ps`, `top`,
// `check` and the supervisor. Fields have defaults and unknown ones are ignored, as in all control bodies.
// PROTOCOL.md §Control bodies. Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libmsg/wire/fields.hpp"
#include "libmsg/wire/vitals.hpp"

namespace parley::wire {

struct PsType {
  std::string name;
  std::vector<std::string> capabilities;
  std::uint32_t workers = 0;
  std::uint64_t activations = 0;
  std::uint64_t inflight = 0;
  std::uint64_t parked = 0;
  std::uint64_t requests = 0;  ///< since the broker started
  std::uint64_t failures = 0;
  std::string health{};  ///< the worst among its workers; `stopped` without one, `quarantined` when it is
  std::string health_reason{};
  std::uint64_t mailbox_depth = 0;   ///< messages waiting for its agents, in the broker and at its workers
  std::uint64_t latency_p50_us = 0;  ///< the largest among its workers
  std::uint64_t latency_p95_us = 0;
  std::uint64_t input_tokens = 0;  ///< of its present workers
  std::uint64_t output_tokens = 0;
  std::uint64_t cost_nano_usd = 0;
  std::uint64_t oldest_waiting_ms = 0;  ///< age of the oldest of the mailbox_depth messages
  PARLEY_FIELDS(name, capabilities, workers, activations, inflight, parked, requests, failures, health, health_reason,
                mailbox_depth, latency_p50_us, latency_p95_us, input_tokens, output_tokens, cost_nano_usd,
                oldest_waiting_ms)
};

struct PsPeer {
  std::string name;
  std::uint64_t incarnation = 0;
  bool is_worker = false;
  bool is_draining = false;
  std::vector<std::string> types;
  std::uint64_t activations = 0;
  std::uint64_t inflight = 0;      ///< deliveries it has not finished
  std::uint64_t queued_bytes = 0;  ///< waiting in the broker for its credit
  std::uint64_t idle_ms = 0;       ///< since anything was heard from it
  std::uint64_t uptime_ms = 0;
  std::string health{};  ///< name of a HealthState; empty from a broker that does not know health
  std::string health_reason{};
  std::string health_cause{};          ///< name of a HealthCause
  bool should_restart = false;         ///< a new process can help
  bool has_vitals = false;             ///< false: it has told nothing about itself yet
  WorkerVitals vitals{};               ///< as of its newest heartbeat
  std::uint64_t oldest_queued_ms = 0;  ///< how long the oldest of the queued_bytes has had to wait
  PARLEY_FIELDS(name, incarnation, is_worker, is_draining, types, activations, inflight, queued_bytes, idle_ms,
                uptime_ms, health, health_reason, health_cause, should_restart, has_vitals, vitals, oldest_queued_ms)
};

/// An agent id or agent type that is out of service.
struct PsQuarantine {
  std::string key;
  std::string reason;
  std::uint64_t since_ms = 0;  ///< wall clock, ms since 1970
  std::uint64_t refused = 0;   ///< messages answered `quarantined`, since the broker started
  std::string by{};            ///< name of the peer that did it
  PARLEY_FIELDS(key, reason, since_ms, refused, by)
};

/// A worker whose session ended without GOODBYE. What a message did to it may be over before any heartbeat tells, so
/// the broker names the agents whose messages it had in hand.
struct PsLoss {
  std::string worker;
  std::uint64_t incarnation = 0;
  std::uint32_t pid = 0;    ///< 0: it never told
  std::uint64_t at_ms = 0;  ///< wall clock, ms since 1970
  std::string reason;
  std::vector<std::string> executing{};  ///< the longest in hand first, at most kMaxVitalsExecuting
  PARLEY_FIELDS(worker, incarnation, pid, at_ms, reason, executing)
};

/// A named counter or gauge of the broker; names are those of METRICS.md.
struct NamedNumber {
  std::string name;
  std::uint64_t value = 0;
  PARLEY_FIELDS(name, value)
};

struct PsReport {
  std::uint64_t shard_epoch = 0;
  std::uint64_t uptime_ms = 0;
  bool is_recovering = false;
  std::vector<PsPeer> peers;
  std::vector<PsType> types;
  std::vector<NamedNumber> numbers;
  std::vector<PsQuarantine> quarantines{};
  std::vector<PsLoss> losses{};  ///< the newest ones, oldest first
  PARLEY_FIELDS(shard_epoch, uptime_ms, is_recovering, peers, types, numbers, quarantines, losses)
};

}  // namespace parley::wire
