#include "services/cli/top/layout.hpp"

#include <algorithm>

#include "libmsg/core/ascii.hpp"

namespace parley::cli::top {
namespace {

/// What a column of text keeps before numbers are given up for it.
constexpr std::size_t kLeastTextWidth = 12;
constexpr int kSortedRank = 95;

std::string cell_text(const ColumnSpec& column, const Row& row) {
  std::string text = printable(column.text(row));
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return text;
}

bool contains(std::string_view text, std::string_view part) { return ascii_lower(text).contains(ascii_lower(part)); }

}  // namespace

TableLayout::TableLayout(std::span<const ColumnSpec> columns, const std::vector<Row>& rows, Sorting sorting,
                         std::size_t width)
    : columns_(columns), sorting_(sorting) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t needed = display_width(title_of(i));
    for (const Row& row : rows) needed = std::max(needed, display_width(cell_text(columns_[i], row)));
    placed_.push_back({&columns_[i], i, needed});
  }
  fit(width);
}

StyledLine TableLayout::titles() const {
  StyledLine line;
  for (const Placed& column : placed_) {
    if (!line.empty()) line.push_back({std::string(gap_, ' '), Color::bold});
    line.push_back({fitted(title_of(column.index), column.width, column.spec->align), Color::bold});
  }
  return line;
}

StyledLine TableLayout::line(const Row& row) const {
  StyledLine line;
  for (const Placed& column : placed_) {
    if (!line.empty()) line.push_back({std::string(gap_, ' ')});
    line.push_back({fitted(cell_text(*column.spec, row), column.width, column.spec->align), column.spec->color(row)});
  }
  return line;
}

std::string TableLayout::title_of(std::size_t column) const {
  std::string title(columns_[column].title);
  if (column == sorting_.column) title += sorting_.is_descending ? "▼" : "▲";
  return title;
}

std::size_t TableLayout::total(std::size_t gap) const {
  std::size_t sum = gap * (placed_.size() - 1);
  for (const Placed& column : placed_) sum += column.width;
  return sum;
}

/// True when the table fits after that.
bool TableLayout::shrink_texts(std::size_t width) {
  while (total(gap_) > width) {
    const auto widest = std::ranges::max_element(placed_, {}, [](const Placed& column) {
      return column.spec->align == Align::left && column.width > kLeastTextWidth ? column.width : 0;
    });
    if (widest->spec->align != Align::left || widest->width <= kLeastTextWidth) return false;
    --widest->width;
  }
  return true;
}

void TableLayout::drop_least() {
  const auto least = std::ranges::min_element(placed_, {}, [this](const Placed& column) {
    return column.index == sorting_.column ? std::max(column.spec->rank, kSortedRank) : column.spec->rank;
  });
  placed_.erase(least);
}

void TableLayout::fit(std::size_t width) {
  if (total(2) <= width) return;
  gap_ = 1;
  for (std::vector<Placed> full = placed_; !shrink_texts(width) && full.size() > 1; full = placed_) {
    placed_ = std::move(full);  // What is dropped gives its room to the texts.
    drop_least();
  }
  for (Placed& column : placed_) column.width = std::min(column.width, width);
}

std::vector<StyledLine> render_rows(std::span<const ColumnSpec> columns, const std::vector<Row>& rows,
                                    std::size_t width) {
  const TableLayout layout(columns, rows, {}, width);
  std::vector<StyledLine> lines{layout.titles()};
  for (const Row& row : rows) lines.push_back(layout.line(row));
  return lines;
}

std::vector<Row> chosen(const std::vector<Row>& rows, std::string_view filter, std::span<const ColumnSpec> columns,
                        Sorting sorting) {
  std::vector<Row> kept;
  for (const Row& row : rows) {
    if (contains(row.name, filter) || contains(row.types, filter) || contains(row.health, filter)) kept.push_back(row);
  }
  std::ranges::sort(kept, {}, &Row::name);
  if (sorting.column >= columns.size()) return kept;
  const ColumnSpec& column = columns[sorting.column];
  std::ranges::stable_sort(kept, [&](const Row& left, const Row& right) {
    const Row& first = sorting.is_descending ? right : left;
    const Row& second = sorting.is_descending ? left : right;
    const SortKey key = column.key(first);
    return key ? *key < *column.key(second) : column.text(first) < column.text(second);
  });
  return kept;
}

}  // namespace parley::cli::top
