// What `parley top` shows: the keys change a ViewState, and render() turns a Frame and the state into lines of a given
// size. Pure, so that tests look at the lines; the terminal is terminal.hpp's. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/cli/top/frame.hpp"
#include "services/cli/top/styled_line.hpp"

namespace parley::cli::top {

enum class Table : std::uint8_t { types, workers };

struct ViewState {
  Table table = Table::types;
  /// Of the table's columns.
  std::size_t sort_column = 0;
  bool is_descending = false;
  std::string filter;  ///< rows whose name or agent types contain it
  bool is_editing_filter = false;
  bool has_help = false;
  bool is_paused = false;
  std::size_t first_row = 0;  ///< scrolled to
};

struct Screen {
  std::size_t width = 80;
  std::size_t height = 24;
};

/// What stands above the frame.
struct Situation {
  /// Unset: the broker answers. Else since when it does not, seen from now.
  std::optional<std::chrono::milliseconds> broker_away;
  std::string endpoint;
  std::chrono::milliseconds interval{1000};
};

/// At most `screen.height` lines of at most `screen.width` columns; `frame` is unset until the first report.
[[nodiscard]] std::vector<StyledLine> render(const std::optional<Frame>& frame, const ViewState& state,
                                             const Situation& situation, Screen screen);

/// How many rows there are behind the filter, and how many of them the screen shows at once.
struct Extent {
  std::size_t rows = 0;
  std::size_t page = 0;
};
[[nodiscard]] Extent extent_of(const std::optional<Frame>& frame, const ViewState& state, Screen screen);

/// Everything, in as many lines as it takes, as `--once` prints it.
[[nodiscard]] std::vector<StyledLine> render_once(const Frame& frame, std::size_t width);

}  // namespace parley::cli::top
