// The files by which `parley up`, the supervisor and `parley down` understand each other, in the run directory of a
// suite:
//
//   suite.json       what is to run; written by `parley up`, read by the supervisor
//   supervisor.json  what runs now: pids, states, restarts; rewritten by the supervisor at every change. It is there
//   from
//                    the supervisor's first moment until it has stopped everything, so that a supervisor that is gone
//                    while the file remains was killed, and its successor knows what to adopt.
//   targets.json     the metrics pages of what runs now, for Prometheus's file discovery; written by the supervisor
//   up.json          who watches the supervisor (the `parley up` process)
//   NAME.log         the output of each process
//
// All are written atomically. Values and plain file access; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/core/error.hpp"
#include "services/supervisor/local/proc.hpp"
#include "services/supervisor/policy.hpp"
#include "services/supervisor/policy_memory.hpp"

namespace parley::supervisor {

struct PlannedProcess {
  std::string name;
  Role role = Role::worker;
  std::vector<std::string> command;
};

struct SuitePlan {
  std::string node = "local";
  std::string broker;
  bool is_insecure_allowed = false;
  PolicyConfig policy;
  std::vector<PlannedProcess> processes;
  /// Brings back the process that watches the supervisor; empty: everything stops when that one goes.
  std::vector<std::string> watcher;
};

struct ProcessRecord {
  ProcessView view;
  ProcessId id;                    ///< pid 0: none
  std::uintmax_t log_offset = 0;   ///< where the log has been read to
  std::uint16_t metrics_port = 0;  ///< 0: none
  std::string problem;             ///< how it ended last, with its last lines, for people
  bool is_hopeless = false;        ///< that was its configuration
};

struct SuiteState {
  ProcessId supervisor;
  bool is_stopping = false;
  std::vector<ProcessRecord> processes;
  /// As of `written_ms`.
  PolicyMemory memory{};
  std::int64_t written_ms = 0;  ///< wall clock, ms since 1970
};

inline constexpr const char* kPlanFile = "suite.json";
inline constexpr const char* kStateFile = "supervisor.json";
inline constexpr const char* kTargetsFile = "targets.json";
inline constexpr const char* kWatcherFile = "up.json";

/// Replaces `file` in one step. Fails with `bad_configuration` when the folder cannot be written to.
Result<> write_atomically(const std::filesystem::path& file, const std::string& text);

Result<> write_plan(const std::filesystem::path& folder, const SuitePlan& plan);
/// Fails with `bad_configuration` when it is missing or malformed.
Result<SuitePlan> read_plan(const std::filesystem::path& folder);

Result<> write_state(const std::filesystem::path& folder, const SuiteState& state);
/// nullopt when there is none that can be read.
[[nodiscard]] std::optional<SuiteState> read_state(const std::filesystem::path& folder);

/// Process names and the ports of their pages on this machine.
using MetricsPages = std::vector<std::pair<std::string, std::uint16_t>>;
/// For `file_sd_configs`, one group for each page, labelled with `instance`, the process's name, and `node`.
[[nodiscard]] std::string targets_text(const std::string& node, const MetricsPages& pages);

Result<> write_watcher(const std::filesystem::path& folder, const ProcessId& watcher, const std::string& broker);
/// nullopt when there is none; it need not be alive.
[[nodiscard]] std::optional<ProcessId> read_watcher(const std::filesystem::path& folder);

/// In the environment of each process of a suite, so that one that was started in the last moment of a killed
/// supervisor is found: `PARLEY_PROCESS=<folder>:<name>`.
[[nodiscard]] std::string process_mark(const std::filesystem::path& folder, const std::string& name);

}  // namespace parley::supervisor
