#include "services/cli/top/keys.hpp"

#include <gtest/gtest.h>

#include "services/cli/top/columns.hpp"

namespace parley::cli::top {
namespace {

constexpr Extent kExtent{30, 10};

ViewState after(std::string_view typed, ViewState state = {}) {
  EXPECT_EQ(press(state, typed, kExtent), Next::go_on);
  return state;
}

TEST(TopKeys, q_quits_also_from_the_help_but_not_from_the_filter) {
  ViewState state;
  EXPECT_EQ(press(state, "q", kExtent), Next::quit);
  EXPECT_EQ(press(state, "?q", kExtent), Next::quit);
  ViewState filtering;
  EXPECT_EQ(press(filtering, "/q", kExtent), Next::go_on);
  EXPECT_EQ(filtering.filter, "q");
}

TEST(TopKeys, arrows_move_the_sort_column_and_wrap_around) {
  EXPECT_EQ(after("\x1b[C").sort_column, 1U);
  EXPECT_TRUE(after("\x1b[C").is_descending);
  EXPECT_EQ(after("\x1b[D").sort_column, type_columns().size() - 1);
  EXPECT_EQ(after("\x1b[C\x1b[D").sort_column, 0U);
  EXPECT_FALSE(after("\x1b[C\x1b[D").is_descending);
  EXPECT_TRUE(after("r").is_descending);
}

TEST(TopKeys, the_filter_is_edited_like_a_line) {
  EXPECT_EQ(after("/h\xC3\xA9r\x7f").filter, "h\xC3\xA9");
  EXPECT_EQ(after("/h\xC3\xA9\x7f").filter, "h");
  EXPECT_FALSE(after("/hr\r").is_editing_filter);
  EXPECT_EQ(after("/hr\r").filter, "hr");
  EXPECT_EQ(after("/hr\x1b").filter, "");
  EXPECT_EQ(after("\x1b", {.filter = "hr"}).filter, "");
  EXPECT_EQ(after("/" + std::string(500, 'x')).filter.size(), 64U);
}

TEST(TopKeys, switching_the_table_sorts_by_name_again) {
  const ViewState state = after("w", {.sort_column = 12, .first_row = 3});
  EXPECT_EQ(state.table, Table::workers);
  EXPECT_EQ(state.sort_column, 0U);
  EXPECT_EQ(state.first_row, 0U);
  EXPECT_EQ(after("ww").table, Table::types);
}

TEST(TopKeys, scrolling_stays_within_the_rows) {
  EXPECT_EQ(after("\x1b[B").first_row, 1U);
  EXPECT_EQ(after("\x1b[A").first_row, 0U);
  EXPECT_EQ(after("\x1b[6~").first_row, 10U);
  EXPECT_EQ(after("G").first_row, 20U);
  EXPECT_EQ(after("G\x1b[6~").first_row, 20U);
  EXPECT_EQ(after("Gg").first_row, 0U);
}

TEST(TopKeys, unknown_and_broken_sequences_change_nothing) {
  const ViewState state = after("\x1b[99;5~\x1b[\x01\xC3");
  EXPECT_EQ(state.sort_column, 0U);
  EXPECT_EQ(state.first_row, 0U);
  EXPECT_FALSE(state.has_help);
}

}  // namespace
}  // namespace parley::cli::top
