// The columns of `parley top` and `parley ps`: how each is titled, written, sorted, and how early it gives way on a
// narrow terminal. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "services/cli/console.hpp"
#include "services/cli/text_width.hpp"
#include "services/cli/top/frame.hpp"

namespace parley::cli::top {

/// What a row is sorted by: a number if it has one, else its name.
using SortKey = std::optional<double>;

struct ColumnSpec {
  std::string_view title;
  std::string_view help;
  Align align = Align::right;
  /// Columns with a lower rank give way first when the terminal is narrow; the name never does.
  int rank = 0;
  std::string (*text)(const Row& row) = nullptr;
  SortKey (*key)(const Row& row) = nullptr;
  std::optional<Color> (*color)(const Row& row) = nullptr;
};

[[nodiscard]] std::span<const ColumnSpec> type_columns();
[[nodiscard]] std::span<const ColumnSpec> worker_columns();
/// The same without rates: sums since the broker and the workers started.
[[nodiscard]] std::span<const ColumnSpec> ps_type_columns();
[[nodiscard]] std::span<const ColumnSpec> ps_worker_columns();

/// Of a state of health.
[[nodiscard]] std::optional<Color> health_color(std::string_view health);

}  // namespace parley::cli::top
