// What only the operating system knows about this process, for its heartbeats. Any thread.
#pragma once

#include <cstdint>

#include "libmsg/wire/vitals.hpp"

namespace parley::net {

/// Resident memory of this process; 0 where /proc does not tell.
[[nodiscard]] std::uint64_t resident_bytes();

/// Adds process id, resident memory and its limit.
[[nodiscard]] wire::WorkerVitals with_process(wire::WorkerVitals vitals, std::uint64_t memory_limit_bytes);

}  // namespace parley::net
