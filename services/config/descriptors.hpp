// How many file descriptors this process may have. The soft limit is often 1024, for programs that use select(); a
// daemon with a connection for each peer or each call of a model needs more, and may take what the hard limit allows.
// Main thread, at start.
#pragma once

#include <algorithm>
#include <cstdint>
#include <sys/resource.h>

namespace parley::config {

/// More is never needed, and the programs that a daemon starts may walk through all that they could have.
inline constexpr rlim_t kMostDescriptors = rlim_t{1} << 20U;

/// The limit that holds now.
[[nodiscard]] inline std::uint64_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

/// The soft limit becomes the hard one; stays as it is where that is not allowed.
inline void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min(limit.rlim_max, kMostDescriptors);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace parley::config
