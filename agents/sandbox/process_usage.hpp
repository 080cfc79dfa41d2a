// What the processes of a sandbox use at this moment, from /proc. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace parley::sandbox {

struct ProcessUsage {
  std::uint64_t memory_bytes = 0;
  std::size_t threads = 0;  ///< of all processes
};

/// Of `first` and everything below it, at most `max_processes`. Memory that processes share is counted once where the
/// kernel tells, and only looked up so closely when the rough sum exceeds `memory_limit`.
[[nodiscard]] ProcessUsage measure_processes(pid_t first, std::size_t max_processes, std::uint64_t memory_limit);

}  // namespace parley::sandbox
