// How wide text is on a terminal, and cutting and filling it to a width. Wide scripts and emoji take two columns,
// combining marks none; malformed UTF-8 counts one column a byte. Pure; any thread.
// Source: Unicode 15 EastAsianWidth.txt (W and F) and the general categories Mn, Me and Cf, as ranges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::cli {

enum class Align : std::uint8_t { left, right };

/// Columns that one code point takes: 0, 1 or 2.
[[nodiscard]] std::size_t code_point_width(char32_t code_point);
/// Columns that `text` takes on a terminal.
[[nodiscard]] std::size_t display_width(std::string_view text);
/// At most `width` columns, the last one `…` when something was cut.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t width);
/// `text` cut or filled with spaces to exactly `width` columns.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t width, Align align);

}  // namespace parley::cli
