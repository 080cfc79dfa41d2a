// The report as a picture: a panel for each case, a bar for each system.
#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <vector>

#include "tests/bench/report.hpp"

namespace parley::bench {
namespace {

constexpr int kPanelWidth = 400;
constexpr int kBarHeight = 20;
constexpr int kColumns = 2;
constexpr int kMargin = 16;
constexpr int kLabelWidth = 54;
constexpr int kTextWidth = 196;
constexpr int kPanelHeight = 34 + 4 * kBarHeight;
constexpr int kHeadingHeight = 34;

struct Bar {
  std::string system;
  double value = 0;
  double low = 0;  ///< the whisker's ends
  double high = 0;
  std::string text;
};

struct Panel {
  std::string title;
  std::vector<Bar> bars;
};

const char* colour_of(const std::string& system) {
  if (system == "parley") return "#2563eb";
  if (system == "relay") return "#94a3b8";
  return system == "bundled" ? "#cbd5e1" : "#f59e0b";
}

void add_bar(std::vector<Panel>& panels, const Row& row, Bar bar) {
  if (panels.empty() || panels.back().title != title_of(row)) panels.push_back({title_of(row), {}});
  panels.back().bars.push_back(std::move(bar));
}

std::vector<Panel> rates(const std::vector<Row>& rows) {
  std::vector<Panel> panels;
  for (const Row& row : rows) {
    if (row.load_percent > 0) continue;
    add_bar(panels, row,
            {row.system, row.per_second, row.per_second_min, row.per_second_max,
             fmt::format("{}/s, p50 {:.0f} µs", readable(row.per_second), row.p50_us)});
  }
  return panels;
}

std::vector<Panel> latencies(const std::vector<Row>& rows) {
  std::vector<Panel> panels;
  for (const Row& row : rows) {
    if (row.load_percent <= 0) continue;
    add_bar(panels, row,
            {row.system, row.p99_us, row.p50_us, row.p99_us,
             fmt::format("{:.0f}, p50 {:.0f} at {}/s", row.p99_us, row.p50_us, readable(row.per_second))});
  }
  return panels;
}

std::string draw(const Panel& panel, int left, int top) {
  double most = 1;
  for (const Bar& bar : panel.bars) most = std::max(most, bar.high);
  const int zero = left + kLabelWidth;
  const auto x_of = [&](double value) { return zero + value / most * (kPanelWidth - kLabelWidth - kTextWidth); };
  std::string out =
      fmt::format("<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n", left, top + 12, panel.title);
  top += 20;
  for (const Bar& bar : panel.bars) {
    out += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", left, top + 13, bar.system);
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" rx=\"2\" fill=\"{}\"/>\n", zero, top + 2,
                       x_of(bar.value) - zero, kBarHeight - 5, colour_of(bar.system));
    out += fmt::format("<line x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2}\" y2=\"{2}\" stroke=\"#0f172a\"/>\n",
                       x_of(bar.low), x_of(bar.high), top + 9);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}</text>\n", x_of(bar.high) + 6, top + 13, bar.text);
    top += kBarHeight;
  }
  return out;
}

/// Appends a heading and its panels below `top`, which is moved to their end.
void draw_section(std::string& out, const std::string& heading, const std::vector<Panel>& panels, int& top) {
  if (panels.empty()) return;
  out += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"16\" font-weight=\"bold\">{}</text>\n", kMargin, top + 20,
                     heading);
  top += kHeadingHeight;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const int column = static_cast<int>(i % kColumns);
    out += draw(panels[i], kMargin + column * kPanelWidth, top);
    if (column + 1 == kColumns || i + 1 == panels.size()) top += kPanelHeight;
  }
}

}  // namespace

std::string svg(const std::vector<Row>& rows) {
  std::string body;
  int height = 6;
  draw_section(body, "Messages per second (median; whisker: min to max)", rates(rows), height);
  draw_section(body, "Open loop: p99 in µs from the intended send time (whisker: from p50)", latencies(rows), height);
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
             "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
             kColumns * kPanelWidth + 2 * kMargin, height) +
         body + "</svg>\n";
}

}  // namespace parley::bench
