#include "services/cli/top/view.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/duration.hpp"
#include "services/cli/figures.hpp"
#include "services/cli/text_width.hpp"
#include "services/cli/top/layout.hpp"

namespace parley::cli::top {
namespace {

constexpr std::size_t kMaxAlerts = 3;

/// What of the screen each part gets; the table's rows have the rest.
struct Plan {
  bool has_rates = false;
  bool has_counts = false;
  std::size_t alerts = 0;  ///< lines
  bool has_gap = false;
  bool has_titles = false;
  bool has_footer = false;
  std::size_t rows = 0;
};

Plan plan_of(const std::optional<Frame>& frame, std::size_t height) {
  Plan plan;
  const std::size_t alerts = frame ? frame->alerts.size() : 0;
  plan.has_titles = height >= 3;
  plan.has_footer = height >= 5;
  plan.has_rates = height >= 6;
  plan.has_counts = height >= 8;
  plan.alerts = height >= 12 ? std::min(alerts, kMaxAlerts) : height >= 7 ? std::min<std::size_t>(alerts, 1) : 0;
  plan.has_gap = height >= 16;
  const std::size_t used = std::size_t{1} + std::size_t{plan.has_titles} + std::size_t{plan.has_footer} +
                           std::size_t{plan.has_rates} + std::size_t{plan.has_counts} + plan.alerts +
                           std::size_t{plan.has_gap};
  plan.rows = height > used ? height - used : 0;
  return plan;
}

std::span<const ColumnSpec> columns_of(const ViewState& state) {
  return state.table == Table::types ? type_columns() : worker_columns();
}

const std::vector<Row>& rows_of(const Frame& frame, const ViewState& state) {
  return state.table == Table::types ? frame.types : frame.workers;
}

StyledLine broker_line(const std::optional<Frame>& frame, const ViewState& state, const Situation& situation) {
  StyledLine line{{"parley top", Color::bold}, {"  "}};
  if (situation.broker_away) {
    line.push_back({fmt::format("broker away for {}, still trying", format_age(*situation.broker_away)), Color::red});
    line.push_back({"  " + printable(situation.endpoint)});
    return line;
  }
  if (!frame) {
    line.push_back({"waiting for the first report"});
    return line;
  }
  line.push_back({"broker up " + format_age(std::chrono::milliseconds(frame->header.uptime_ms))});
  if (frame->header.is_recovering) line.push_back({"  recovering", Color::yellow});
  line.push_back({"  every " + format_duration(situation.interval)});
  if (state.is_paused) line.push_back({"  PAUSED", Color::yellow});
  if (!state.filter.empty()) line.push_back({"  filter: " + printable(state.filter), Color::cyan});
  return line;
}

StyledLine rates_line(const Header& header) {
  StyledLine line{
      {fmt::format("{} requests/s  {} one-way/s  ", format_rate(header.requests), format_rate(header.one_way))}};
  const bool has_errors = header.errors.value_or(0) > 0;
  line.push_back({format_rate(header.errors) + " errors/s", has_errors ? std::optional(Color::red) : std::nullopt});
  line.push_back({fmt::format("  {} tokens/s  {}", format_rate(header.tokens), format_cost(header.cost_nano_usd))});
  return line;
}

/// What matters most stands first, since a narrow screen cuts the end.
StyledLine counts_line(const Header& header) {
  StyledLine line{{fmt::format("{} {}", header.workers, header.workers == 1 ? "worker" : "workers")}};
  std::string_view separator = ": ";
  for (const auto& [health, count] : header.workers_by_health) {
    line.push_back({std::string(separator)});
    line.push_back({fmt::format("{} {}", count, health), health_color(health)});
    separator = ", ";
  }
  const bool is_growing = header.dead_letter_rate.value_or(0) > 0;
  std::string dead = fmt::format("  {} dead letters", format_count(header.dead_letters));
  if (is_growing) dead += fmt::format(" (+{}/s)", format_rate(header.dead_letter_rate));
  line.push_back({std::move(dead), is_growing                ? std::optional(Color::red)
                                   : header.dead_letters > 0 ? std::optional(Color::yellow)
                                                             : std::nullopt});
  line.push_back({fmt::format("  {} in flight  {} waiting  {} active  {} {}", format_count(header.inflight),
                              format_count(header.waiting), format_count(header.activations), header.clients,
                              header.clients == 1 ? "client" : "clients")});
  return line;
}

void add_alerts(std::vector<StyledLine>& lines, const Frame& frame, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = "! " + printable(frame.alerts[i]);
    const std::size_t hidden = frame.alerts.size() - count;
    if (i + 1 == count && hidden > 0) text = fmt::format("! {} more alerts like: {}", hidden + 1, text.substr(2));
    lines.push_back({{std::move(text), Color::red}});
  }
}

StyledLine footer(const ViewState& state, Extent extent) {
  if (state.is_editing_filter) {
    return {{"filter: " + state.filter}, {" ", std::nullopt, true}, {"  Enter keeps it, Esc clears it", Color::dim}};
  }
  const std::string_view other = state.table == Table::types ? "workers" : "types";
  StyledLine line{{fmt::format("q quit  ←→ sort  r reverse  / filter  w {}  p pause  ? help", other), Color::dim}};
  if (extent.rows > extent.page) {
    const std::size_t last = std::min(state.first_row + extent.page, extent.rows);
    line.insert(line.begin(), {fmt::format("{}-{} of {}  ", state.first_row + 1, last, extent.rows), Color::cyan});
  }
  return line;
}

/// In place of rows when there are none.
std::string no_rows(const ViewState& state) {
  if (!state.filter.empty())
    return fmt::format("nothing matches '{}' (Esc clears the filter)", printable(state.filter));
  return state.table == Table::types ? "no agent types yet (start some: parley up)"
                                     : "no workers (start some: parley up)";
}

std::vector<StyledLine> table_lines(const Frame& frame, const ViewState& state, std::size_t width, const Plan& plan) {
  const Sorting sorting{state.sort_column, state.is_descending};
  const std::vector<Row> rows = chosen(rows_of(frame, state), state.filter, columns_of(state), sorting);
  const TableLayout layout(columns_of(state), rows, sorting, width);
  std::vector<StyledLine> lines;
  if (plan.has_titles) lines.push_back(layout.titles());
  if (rows.empty() && plan.rows > 0) lines.push_back({{no_rows(state), Color::dim}});
  const std::size_t last_first = rows.size() > plan.rows ? rows.size() - plan.rows : 0;
  const std::size_t first = std::min(state.first_row, last_first);
  for (std::size_t i = first; i < rows.size() && i - first < plan.rows; ++i) lines.push_back(layout.line(rows[i]));
  return lines;
}

std::vector<StyledLine> help_lines(const ViewState& state) {
  constexpr auto kKeys = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"q", "quit"},
      {"← → or S s", "sort by the column to the left or right"},
      {"r", "reverse the order"},
      {"/", "filter by name, agent type or health; Esc clears it"},
      {"w", "agent types or workers"},
      {"↑ ↓ PgUp PgDn", "scroll"},
      {"p", "pause and go on"},
  });
  std::vector<StyledLine> lines{{{"Keys", Color::bold}}};
  for (const auto& [key, meaning] : kKeys) lines.push_back({{fitted(key, 15, Align::left)}, {std::string(meaning)}});
  lines.push_back({{"Columns", Color::bold}});
  for (const ColumnSpec& column : columns_of(state)) {
    lines.push_back({{fitted(column.title, 15, Align::left)}, {std::string(column.help)}});
  }
  return lines;
}

/// Above the table.
std::vector<StyledLine> header_lines(const std::optional<Frame>& frame, const ViewState& state,
                                     const Situation& situation, const Plan& plan) {
  std::vector<StyledLine> lines{broker_line(frame, state, situation)};
  if (!frame) return lines;
  if (plan.has_rates) lines.push_back(rates_line(frame->header));
  if (plan.has_counts) lines.push_back(counts_line(frame->header));
  add_alerts(lines, *frame, plan.alerts);
  if (plan.has_gap) lines.emplace_back();
  return lines;
}

void append(std::vector<StyledLine>& lines, std::vector<StyledLine> more) {
  lines.insert(lines.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// What is on the screen is old: everything but the first line in one quiet colour.
void dim_below_first(std::vector<StyledLine>& lines) {
  for (std::size_t i = 1; i < lines.size(); ++i) lines[i] = {{plain_text(lines[i]), Color::dim}};
}

}  // namespace

Extent extent_of(const std::optional<Frame>& frame, const ViewState& state, Screen screen) {
  if (!frame) return {};
  const auto rows = chosen(rows_of(*frame, state), state.filter, columns_of(state), Sorting{});
  return {rows.size(), plan_of(frame, screen.height).rows};
}

std::vector<StyledLine> render(const std::optional<Frame>& frame, const ViewState& state, const Situation& situation,
                               Screen screen) {
  const Plan plan = plan_of(frame, screen.height);
  std::vector<StyledLine> lines;
  if (state.has_help) {
    lines = help_lines(state);
    lines.resize(std::min(lines.size(), screen.height));
  } else {
    lines = header_lines(frame, state, situation, plan);
    if (frame) append(lines, table_lines(*frame, state, screen.width, plan));
    if (situation.broker_away) dim_below_first(lines);
    if (plan.has_footer) {
      lines.resize(screen.height - 1);
      lines.push_back(footer(state, extent_of(frame, state, screen)));
    }
  }
  lines.resize(std::min(lines.size(), screen.height));
  for (StyledLine& line : lines) line = clipped(std::move(line), screen.width);
  return lines;
}

std::vector<StyledLine> render_once(const Frame& frame, std::size_t width) {
  Plan plan{.has_rates = true, .has_counts = true, .alerts = frame.alerts.size(), .has_gap = true, .has_titles = true};
  plan.rows = std::numeric_limits<std::size_t>::max();
  ViewState state;
  std::vector<StyledLine> lines{
      {{"broker up " + format_age(std::chrono::milliseconds(frame.header.uptime_ms)), Color::bold}}};
  lines.push_back(rates_line(frame.header));
  lines.push_back(counts_line(frame.header));
  add_alerts(lines, frame, plan.alerts);
  for (const Table table : {Table::types, Table::workers}) {
    state.table = table;
    lines.emplace_back();
    append(lines, table_lines(frame, state, width, plan));
  }
  for (StyledLine& line : lines) line = clipped(std::move(line), width);
  return lines;
}

}  // namespace parley::cli::top
