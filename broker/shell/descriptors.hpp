// How many sessions the broker's file descriptors allow. Each connection costs one, and once they are used up nobody
// gets in any more: neither the health page's visitors nor a peer that has to be told that there is no room. Pure; any
// thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace parley::broker {

/// For sockets and files of the broker's own, the health page, and connections that hear a refusal.
inline constexpr std::uint64_t kReservedDescriptors = 64;
/// One of so many is reserved as well: with the size of a fleet grows the number of those that come back at once.
inline constexpr std::uint64_t kReservedShare = 16;

/// At least 1.
[[nodiscard]] constexpr std::uint32_t sessions_within(std::uint64_t descriptors) {
  const std::uint64_t reserved = kReservedDescriptors + descriptors / kReservedShare;
  const std::uint64_t sessions = descriptors > reserved ? descriptors - reserved : 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(sessions, std::numeric_limits<std::uint32_t>::max()));
}

/// So many descriptors allow `sessions`.
[[nodiscard]] constexpr std::uint64_t descriptors_for(std::uint64_t sessions) {
  return (sessions + kReservedDescriptors) * kReservedShare / (kReservedShare - 1) + 1;
}

}  // namespace parley::broker
