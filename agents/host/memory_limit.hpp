// How much memory a worker may use when its configuration does not say: most of what its container has. The kernel
// kills whoever passes the container's limit without a word, work in hand included; a worker that is found unhealthy a
// little earlier is replaced in better order. Main thread, at start.
#pragma once

#include <cstdint>
#include <filesystem>

namespace parley::host {

/// Of what the container has.
inline constexpr std::uint64_t kMemoryLimitPercent = 90;

/// In bytes; 0, no limit, when `file` (of cgroup v2) is not there, says `max`, or cannot be understood. In a container
/// it is that of the container; the root of a machine has none.
[[nodiscard]] std::uint64_t default_memory_limit(const std::filesystem::path& file = "/sys/fs/cgroup/memory.max");

}  // namespace parley::host
