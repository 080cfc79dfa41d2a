#include "services/cli/table.hpp"

#include <algorithm>

namespace parley::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastFlexibleWidth = 8;

std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) c = ' ';
  }
  return line;
}

/// Takes from the widest flexible column, one character at a time, until the table fits or nobody can give.
void fit(std::vector<std::size_t>& widths, const std::vector<Column>& columns, std::size_t width) {
  std::size_t total = kGap * (widths.empty() ? 0 : widths.size() - 1);
  for (const std::size_t column : widths) total += column;
  while (total > width) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (columns[i].is_flexible && widths[i] > kLeastFlexibleWidth &&
          (widest == widths.size() || widths[i] > widths[widest])) {
        widest = i;
      }
    }
    if (widest == widths.size()) return;
    --widths[widest];
    --total;
  }
}

std::string render_row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                       const std::vector<Column>& columns) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) line.append(kGap, ' ');
    line += fitted(i < cells.size() ? one_line(cells[i]) : "", widths[i], columns[i].align);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  const auto flush = [&] {
    lines.push_back(std::move(line));
    line.clear();
  };
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n", start), text.size());
    const std::string_view word = text.substr(start, end - start);
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width) flush();
    if (!line.empty()) line += ' ';
    line += word;
    if (end < text.size() && text[end] == '\n') flush();
    start = end + 1;
  }
  if (!line.empty() || lines.empty()) flush();
  return lines;
}

std::vector<std::string> render_table(const std::vector<Column>& columns,
                                      const std::vector<std::vector<std::string>>& rows, std::size_t width) {
  std::vector<std::size_t> widths;
  std::vector<std::string> titles;
  for (const Column& column : columns) {
    titles.push_back(column.title);
    widths.push_back(display_width(column.title));
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
      widths[i] = std::max(widths[i], display_width(one_line(row[i])));
    }
  }
  fit(widths, columns, width);
  std::vector<std::string> lines{render_row(titles, widths, columns)};
  for (const auto& row : rows) lines.push_back(render_row(row, widths, columns));
  return lines;
}

}  // namespace parley::cli
