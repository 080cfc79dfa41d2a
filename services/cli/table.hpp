// Text tables for terminals. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/cli/text_width.hpp"

namespace parley::cli {

struct Column {
  std::string title;
  Align align = Align::left;
  /// May be cut (with `…`) when the table is wider than the console.
  bool is_flexible = false;
};

/// `text` in lines of at most `width` characters, broken at spaces where possible.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t width);

/// Title row, then the rows; columns two spaces apart, no line longer than `width` as long as flexible columns can
/// give. Newlines and control characters in cells become spaces. Lines without a newline at the end.
[[nodiscard]] std::vector<std::string> render_table(const std::vector<Column>& columns,
                                                    const std::vector<std::vector<std::string>>& rows,
                                                    std::size_t width);

}  // namespace parley::cli
