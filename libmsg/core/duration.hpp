// Durations as people write them: `250ms`, `5s`, `2m`, `1h`. Pure; any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley {

/// Reads a whole number with a unit (`ms`, `s`, `m`, `h`); `0` needs no unit. Fails with `invalid` on anything else and
/// on more than 10,000 hours; the message says what is expected.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest text that parse_duration() reads back: 120000 ms is `2m`, 1500 ms is `1500ms`.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

}  // namespace parley
