#include "services/cli/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using testing::ElementsAre;

TEST(Table, columns_are_as_wide_as_their_widest_cell) {
  EXPECT_THAT(render_table({{"NAME"}, {"N", Align::right}}, {{"a", "1"}, {"longer", "10"}}, 80),
              ElementsAre("NAME     N", "a        1", "longer  10"));
}

TEST(Table, flexible_columns_give_way_to_a_narrow_console) {
  const auto lines = render_table({{"ID"}, {"TEXT", Align::left, true}}, {{"1", std::string(100, 'x')}}, 20);
  EXPECT_EQ(display_width(lines.back()), 20U);
  EXPECT_TRUE(lines.back().ends_with("…"));
}

TEST(Table, counts_characters_and_not_bytes) {
  EXPECT_EQ(display_width("µs →"), 4U);
  EXPECT_EQ(shortened("äöü", 2), "ä…");
}

TEST(Table, a_cell_cannot_break_the_line) {
  const auto lines = render_table({{"A"}}, {{"x\ny\x1b[2J"}}, 80);
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines.back().find('\x1b'), std::string::npos);
}

TEST(Table, a_short_row_leaves_its_last_cells_empty) {
  EXPECT_THAT(render_table({{"A"}, {"B"}}, {{"1"}}, 80), ElementsAre("A  B", "1"));
}

TEST(Wrapped, breaks_at_spaces) { EXPECT_THAT(wrapped("one two three", 7), ElementsAre("one two", "three")); }

TEST(Wrapped, keeps_the_breaks_of_the_text) { EXPECT_THAT(wrapped("one\ntwo", 80), ElementsAre("one", "two")); }

TEST(Wrapped, an_empty_text_is_one_empty_line) { EXPECT_THAT(wrapped("", 10), ElementsAre("")); }

}  // namespace
}  // namespace parley::cli
