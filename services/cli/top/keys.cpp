#include "services/cli/top/keys.hpp"

#include <algorithm>

#include "services/cli/top/columns.hpp"

namespace parley::cli::top {
namespace {

constexpr std::size_t kMaxFilter = 64;
constexpr char kEscape = '\x1b';

/// Cuts the first key off `typed`: one byte, an escape sequence, or a UTF-8 character.
std::string_view take_key(std::string_view& typed) {
  std::size_t length = 1;
  if (typed.size() > 2 && typed[0] == kEscape && (typed[1] == '[' || typed[1] == 'O')) {
    length = 2;
    while (length < typed.size() && (typed[length] < '@' || typed[length] > '~')) ++length;
    length = std::min(length + 1, typed.size());
  } else {
    while (length < typed.size() && (static_cast<unsigned char>(typed[length]) & 0xC0U) == 0x80U) ++length;
  }
  const std::string_view key = typed.substr(0, length);
  typed.remove_prefix(length);
  return key;
}

void erase_last_character(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
  if (!text.empty()) text.pop_back();
}

void edit_filter(ViewState& state, std::string_view key) {
  state.first_row = 0;
  if (key == "\r" || key == "\n") {
    state.is_editing_filter = false;
  } else if (key == "\x1b") {
    state.is_editing_filter = false;
    state.filter.clear();
  } else if (key == "\x7f" || key == "\b") {
    erase_last_character(state.filter);
  } else if (key == "\x15") {
    state.filter.clear();
  } else if (static_cast<unsigned char>(key[0]) >= 0x20 && state.filter.size() + key.size() <= kMaxFilter) {
    state.filter += key;
  }
}

std::size_t column_count(const ViewState& state) {
  return state.table == Table::types ? type_columns().size() : worker_columns().size();
}

/// A new column starts with what people look for: names from A, numbers from the top.
void sort_by(ViewState& state, std::size_t column) {
  state.sort_column = column;
  state.is_descending = column != 0;
  state.first_row = 0;
}

void switch_table(ViewState& state) {
  state.table = state.table == Table::types ? Table::workers : Table::types;
  sort_by(state, 0);
}

void scroll(ViewState& state, std::ptrdiff_t rows, Extent extent) {
  const std::size_t last = extent.rows > extent.page ? extent.rows - extent.page : 0;
  const auto moved = static_cast<std::ptrdiff_t>(state.first_row) + rows;
  state.first_row = std::min(static_cast<std::size_t>(std::max<std::ptrdiff_t>(moved, 0)), last);
}

void move(ViewState& state, std::string_view key, Extent extent) {
  const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(extent.page, 1));
  const auto all = static_cast<std::ptrdiff_t>(extent.rows);
  if (key == "\x1b[A" || key == "\x1bOA" || key == "k") scroll(state, -1, extent);
  if (key == "\x1b[B" || key == "\x1bOB" || key == "j") scroll(state, 1, extent);
  if (key == "\x1b[5~") scroll(state, -page, extent);
  if (key == "\x1b[6~") scroll(state, page, extent);
  if (key == "\x1b[H" || key == "\x1b[1~" || key == "g") scroll(state, -all, extent);
  if (key == "\x1b[F" || key == "\x1b[4~" || key == "G") scroll(state, all, extent);
}

}  // namespace

Next press(ViewState& state, std::string_view typed, Extent extent) {
  while (!typed.empty()) {
    const std::string_view key = take_key(typed);
    const std::size_t columns = column_count(state);
    if (state.is_editing_filter) {
      edit_filter(state, key);
    } else if (state.has_help) {
      if (key == "q") return Next::quit;
      state.has_help = false;
    } else if (key == "q" || key == "Q") {
      return Next::quit;
    } else if (key == "?" || key == "h") {
      state.has_help = true;
    } else if (key == "/") {
      state.is_editing_filter = true;
    } else if (key == "\x1b") {
      state.filter.clear();
    } else if (key == "w" || key == "t" || key == "\t") {
      switch_table(state);
    } else if (key == "\x1b[C" || key == "\x1bOC" || key == ">" || key == "s") {
      sort_by(state, (state.sort_column + 1) % columns);
    } else if (key == "\x1b[D" || key == "\x1bOD" || key == "<" || key == "S") {
      sort_by(state, (state.sort_column + columns - 1) % columns);
    } else if (key == "r") {
      state.is_descending = !state.is_descending;
    } else if (key == " " || key == "p") {
      state.is_paused = !state.is_paused;
    } else {
      move(state, key, extent);
    }
  }
  return Next::go_on;
}

}  // namespace parley::cli::top
