// Sizes as people write them: `64KiB`, `512MiB`, `2GiB`. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley {

/// Reads a whole number with a unit (`KiB`, `MiB`, `GiB`) as bytes. Fails with `invalid` on anything else and on more
/// than 1048576GiB; the message says what is expected.
[[nodiscard]] Result<std::uint64_t> parse_byte_size(std::string_view text);

/// The shortest text that parse_byte_size() reads back: 2097152 is `2MiB`. What is no whole number of KiB is
/// given in bytes, for a person only: `1000B`.
[[nodiscard]] std::string format_byte_size(std::uint64_t bytes);

}  // namespace parley
