// When the periods of limits begin and end: hours, days and months of the calendar in UTC. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "agents/budget/limit.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::ledger {

/// The start of the period that `time` lies in; for `total` the beginning of all time.
[[nodiscard]] WallTime period_start(budget::Period period, WallTime time);
/// The end of the period that `time` lies in, which is the start of the next; nullopt for `total`.
[[nodiscard]] std::optional<WallTime> period_end(budget::Period period, WallTime time);

/// `2026-11-22T00:00:00Z`.
[[nodiscard]] std::string format_utc(WallTime time);

[[nodiscard]] inline std::uint64_t wall_ms(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
[[nodiscard]] inline WallTime wall_from_ms(std::uint64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

}  // namespace parley::ledger
