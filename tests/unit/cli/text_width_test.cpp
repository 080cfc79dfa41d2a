#include "services/cli/text_width.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

TEST(TextWidth, wide_scripts_and_emoji_take_two_columns_and_marks_none) {
  EXPECT_EQ(display_width("naïve"), 5U);
  EXPECT_EQ(display_width("財務"), 4U);
  EXPECT_EQ(display_width("🙂"), 2U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);
}

TEST(TextWidth, malformed_utf8_counts_one_column_a_byte) {
  EXPECT_EQ(display_width("\xFF\xFE"), 2U);
  EXPECT_EQ(display_width("\xE8\xB2"), 2U);
  EXPECT_EQ(display_width("\xE8xy"), 3U);
}

TEST(TextWidth, a_cut_never_exceeds_the_width_nor_splits_a_character) {
  EXPECT_EQ(shortened("財務部門", 5), "財務…");
  EXPECT_EQ(shortened("財務部門", 4), "財…");
  EXPECT_EQ(shortened("finance", 7), "finance");
  EXPECT_EQ(shortened("finance", 1), "…");
  EXPECT_EQ(shortened("finance", 0), "");
}

TEST(TextWidth, fitted_text_has_exactly_the_width) {
  EXPECT_EQ(fitted("hr", 4, Align::right), "  hr");
  EXPECT_EQ(fitted("財務部門", 4, Align::left), "財… ");
}

}  // namespace
}  // namespace parley::cli
