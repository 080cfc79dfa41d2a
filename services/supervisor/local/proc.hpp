// What /proc says about processes of this machine. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace parley::supervisor {

/// A process, told from a later one with the same number by the time of its start.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since the machine started (proc(5), field 22)
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

/// nullopt when there is no such process, or only its remains (a zombie).
[[nodiscard]] std::optional<std::uint64_t> start_time_of(pid_t pid);

/// The process that `pid` is now; start time 0 when there is none.
[[nodiscard]] ProcessId identify(pid_t pid);

[[nodiscard]] bool is_alive(const ProcessId& process);

/// True while it is held by SIGSTOP.
[[nodiscard]] bool is_stopped_by_signal(pid_t pid);

/// The leaders of process groups that have `entry` (`NAME=value`) in their environment, except this process.
[[nodiscard]] std::vector<ProcessId> find_by_environment(const std::string& entry);

}  // namespace parley::supervisor
