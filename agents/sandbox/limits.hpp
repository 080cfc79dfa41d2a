// What code in a sandbox may use, and which of it was used up. Values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace parley::sandbox {

struct SandboxLimits {
  /// From the moment the code starts.
  std::chrono::milliseconds wall_time{60'000};
  /// Of each process (RLIMIT_CPU); counted in whole seconds.
  std::chrono::milliseconds cpu_time{30'000};
  /// Data of each process (RLIMIT_DATA: `malloc` fails beyond it) and memory of all together (measured).
  std::uint64_t memory_bytes = std::uint64_t{512} << 20U;
  /// Processes and threads at once.
  std::uint32_t max_processes = 64;
  std::uint32_t max_open_files = 128;
  /// Kept of each of standard output and error; the rest is read and dropped.
  std::size_t max_output_bytes = std::size_t{64} << 10U;
  /// Code that writes more than this altogether is ended.
  std::uint64_t max_flood_bytes = std::uint64_t{16} << 20U;
  /// Size of the work folder, and of /tmp. Both are memory.
  std::uint64_t work_bytes = std::uint64_t{32} << 20U;
  std::uint64_t tmp_bytes = std::uint64_t{32} << 20U;
  /// Files, folders and links in each of them.
  std::uint32_t max_entries = 2000;
  /// Files that a run gives back, and their bytes together.
  std::uint32_t max_returned_files = 20;
  std::size_t max_returned_bytes = std::size_t{1} << 20U;
};

/// Which limit ended the code, if one did.
enum class Limit : std::uint8_t { none, wall_time, cpu_time, memory, processes, output, files };

/// `wall_time`, …; `none`.
[[nodiscard]] constexpr std::string_view to_string(Limit limit) {
  switch (limit) {
    case Limit::none:
      return "none";
    case Limit::wall_time:
      return "wall_time";
    case Limit::cpu_time:
      return "cpu_time";
    case Limit::memory:
      return "memory";
    case Limit::processes:
      return "processes";
    case Limit::output:
      return "output";
    case Limit::files:
      return "files";
  }
  return "none";
}

}  // namespace parley::sandbox
