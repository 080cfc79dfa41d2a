#include "services/cli/top/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/cli/text_width.hpp"
#include "tests/unit/cli/top/sample_report.hpp"

namespace parley::cli::top {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

/// Two looks at the sample fleet, one second apart.
Frame sample_frame(wire::PsReport report = sample_report()) {
  Sampler sampler;
  const TimePoint start{std::chrono::hours(1)};
  (void)sampler.add(report, {}, start);
  for (wire::PsType& type : report.types) {
    type.requests += 120;
    type.output_tokens += 300;
  }
  report.numbers[0].value += 240;
  return sampler.add(report, {}, start + std::chrono::seconds(1));
}

std::vector<std::string> texts(const std::vector<StyledLine>& lines) {
  std::vector<std::string> plain;
  for (const StyledLine& line : lines) plain.push_back(plain_text(line));
  return plain;
}

std::vector<std::string> shown(const std::optional<Frame>& frame, const ViewState& state = {}, Screen screen = {},
                               const Situation& situation = {}) {
  return texts(render(frame, state, situation, screen));
}

TEST(TopView, all_columns_fit_80_characters) {
  const auto lines = shown(sample_frame(), {}, {80, 10});
  EXPECT_THAT(lines, ElementsAre("parley top  broker up 1h02m  every 1s",
                                 "240 requests/s  0 one-way/s  0 errors/s  600 tokens/s  $0.24",
                                 "2 workers: 1 degraded, 1 healthy  2 dead letters  6 in flight  2 waiting  24 ac…",
                                 "! 2 more alerts like: worker finance is degraded",
                                 "AGENT TYPE▲ HEALTH   WRK ACTIVE RATE   P50  P95 INFL WAIT ERR TOK/S  COST RST",
                                 "finance     degraded   1     12  120 1.2ms 45ms    3    2   4   300 $0.12   -",
                                 "hr          healthy    1     12  120 1.2ms 45ms    3    0   0   300 $0.12   -", "",
                                 "", "q quit  ←→ sort  r reverse  / filter  w workers  p pause  ? help"));
}

TEST(TopView, a_wide_terminal_has_wider_gaps) {
  const auto lines = shown(sample_frame(), {}, {120, 24});
  EXPECT_THAT(lines, testing::Contains(
                         "AGENT TYPE▲  HEALTH    WRK  ACTIVE  RATE    P50   P95  INFL  WAIT  ERR  TOK/S   COST  RST"));
}

TEST(TopView, workers_have_their_own_columns) {
  const auto lines = shown(sample_frame(), {.table = Table::workers}, {120, 12});
  EXPECT_THAT(lines,
              testing::Contains("WORKER▲  HEALTH    AGENT TYPES  ACTIVE  RATE   P95  INFL  WAIT  ERR  TOK/S  COST "
                                " RST  LAG  RSS     UP"));
}

/// What a terminal of so many columns shows of a text with cursor movements: like the real ones it stays in its last
/// column when a line is full, and erasing there erases that column.
std::vector<std::string> on_terminal(const std::string& text, std::size_t width) {
  std::vector<std::string> screen(1, std::string(width, ' '));
  std::size_t row = 0;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "\x1b[K") == 0) {
      const std::size_t at = std::min(column, width - 1);
      screen[row].replace(at, std::string::npos, std::string(width - at, ' '));
      i += 2;
    } else if (text.compare(i, 3, "\x1b[H") == 0 || text.compare(i, 3, "\x1b[J") == 0) {
      i += 2;
    } else if (text[i] == '\r') {
      column = 0;
    } else if (text[i] == '\n') {
      if (++row == screen.size()) screen.emplace_back(width, ' ');
    } else {
      screen[row][std::min(column++, width - 1)] = text[i];
    }
  }
  return screen;
}

TEST(TopView, a_line_that_fills_the_terminal_keeps_its_last_column) {
  const std::vector<StyledLine> lines{{{"COST RST"}}, {{"$9.99  12"}}};
  const auto screen = on_terminal(screen_text(lines, 2, false), 9);
  EXPECT_THAT(screen, testing::ElementsAre("COST RST ", "$9.99  12"));
  EXPECT_EQ(on_terminal(screen_text(lines, 5, false), 9)[1], "$9.99  12");
}

class TopViewSizes : public testing::TestWithParam<Screen> {};

TEST_P(TopViewSizes, no_size_is_exceeded) {
  wire::PsReport report = sample_report();
  report.types[0].name = std::string(120, 'x');
  report.types[1].name = "財務部門🙂財務部門財務部門";
  report.peers[0].name = "one\ttwo\x1b[31m\nthree";
  const Screen screen = GetParam();
  for (const Table table : {Table::types, Table::workers}) {
    for (const bool has_help : {false, true}) {
      const auto lines = shown(sample_frame(report), {.table = table, .has_help = has_help}, screen);
      EXPECT_LE(lines.size(), screen.height);
      for (const std::string& line : lines) {
        EXPECT_LE(display_width(line), screen.width) << line;
        EXPECT_EQ(line.find_first_of("\x1b\n\t"), std::string::npos) << line;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, TopViewSizes,
                         testing::Values(Screen{80, 24}, Screen{120, 40}, Screen{60, 12}, Screen{40, 8}, Screen{20, 5},
                                         Screen{10, 3}, Screen{3, 2}, Screen{1, 1}));

TEST(TopView, a_narrow_terminal_keeps_name_health_and_rate) {
  const auto lines = shown(sample_frame(), {}, {32, 8});
  EXPECT_THAT(lines, testing::Contains("AGENT TYPE▲ HEALTH   RATE  P95"));
}

TEST(TopView, sorting_downwards_puts_the_largest_first) {
  wire::PsReport report = sample_report();
  report.types[0].inflight = 9;
  ViewState state{.sort_column = 7, .is_descending = true};
  const auto lines = shown(sample_frame(report), state, {80, 10});
  EXPECT_THAT(lines[4], HasSubstr("INFL▼"));
  EXPECT_THAT(lines[5], testing::StartsWith("hr"));
}

TEST(TopView, a_filter_leaves_what_contains_it) {
  ViewState state{.filter = "FIN"};
  const auto lines = shown(sample_frame(), state, {80, 10});
  EXPECT_THAT(lines[0], HasSubstr("filter: FIN"));
  EXPECT_THAT(lines, Each(Not(testing::StartsWith("hr"))));
  state.filter = "nobody";
  EXPECT_THAT(shown(sample_frame(), state, {80, 10}),
              testing::Contains("nothing matches 'nobody' (Esc clears the filter)"));
}

TEST(TopView, what_does_not_fit_is_counted_and_scrolled_to) {
  wire::PsReport report = sample_report();
  report.types.clear();
  for (int i = 10; i < 40; ++i) report.types.push_back(sample_type("type-" + std::to_string(i), 1));
  const auto lines = shown(sample_frame(report), {.first_row = 5}, {80, 10});
  EXPECT_THAT(lines[5], testing::StartsWith("type-15"));
  EXPECT_THAT(lines.back(), testing::StartsWith("6-9 of 30  q quit"));
  // Beyond the end the last screenful stays.
  EXPECT_THAT(shown(sample_frame(report), {.first_row = 500}, {80, 10})[8], testing::StartsWith("type-39"));
}

TEST(TopView, a_broker_that_is_away_is_said_first_and_the_rest_is_dimmed) {
  Situation away{.broker_away = std::chrono::seconds(5), .endpoint = "ipc://@parley"};
  const auto lines = render(sample_frame(), {}, away, {80, 10});
  EXPECT_EQ(plain_text(lines[0]), "parley top  broker away for 5s, still trying  ipc://@parley");
  EXPECT_EQ(lines[5].front().color, Color::dim);
  EXPECT_THAT(shown(std::nullopt, {}, {80, 10}, away)[0], HasSubstr("broker away for 5s"));
}

TEST(TopView, health_and_new_errors_are_coloured) {
  wire::PsReport report = sample_report();
  report.types[1].health = "unhealthy";
  const auto lines = render(sample_frame(report), {}, {}, {80, 10});
  EXPECT_THAT(lines[5], testing::Contains(testing::Field(&Piece::color, testing::Optional(Color::red))));
  EXPECT_THAT(ansi_text(lines[5], true), HasSubstr("\x1b[31munhealthy\x1b[0m"));
  EXPECT_THAT(ansi_text(lines[5], false), Not(HasSubstr("\x1b[31m")));
}

TEST(TopView, once_prints_both_tables_and_every_alert) {
  const auto lines = texts(render_once(sample_frame(), 100));
  EXPECT_THAT(lines, testing::Contains(HasSubstr("AGENT TYPE▲")));
  EXPECT_THAT(lines, testing::Contains(HasSubstr("WORKER▲")));
  EXPECT_THAT(lines, testing::Contains("! agent type finance is degraded: 3 failures of the model in a row"));
}

TEST(TopView, an_empty_bus_says_what_to_do) {
  wire::PsReport report;
  report.shard_epoch = 1;
  report.numbers = {{"parley_broker_requests_total", 0}};
  EXPECT_THAT(shown(sample_frame(report), {}, {80, 10}),
              testing::Contains("no agent types yet (start some: parley up)"));
}

}  // namespace
}  // namespace parley::cli::top
