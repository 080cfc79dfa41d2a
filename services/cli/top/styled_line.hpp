// A line of a full-screen view: pieces of text with how they look. Pure values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/cli/console.hpp"

namespace parley::cli::top {

struct Piece {
  std::string text;
  std::optional<Color> color = std::nullopt;
  bool is_inverse = false;
};

using StyledLine = std::vector<Piece>;

/// The text alone, without spaces at the end.
[[nodiscard]] std::string plain_text(const StyledLine& line);
/// With ANSI escapes; inverse and bold also where there is no colour.
[[nodiscard]] std::string ansi_text(const StyledLine& line, bool has_color);
/// At most `width` columns; the last is `…` when something was cut.
[[nodiscard]] StyledLine clipped(StyledLine line, std::size_t width);

/// The lines from the top left corner of a screen of so many lines, in place of what is there. What was behind a line
/// is erased before the line is written: after a line that fills the width, terminals would erase its last column.
[[nodiscard]] std::string screen_text(const std::vector<StyledLine>& lines, std::size_t height, bool has_color);

}  // namespace parley::cli::top
