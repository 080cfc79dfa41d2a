#include "libmsg/core/nearest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kNames{"finance", "hr", "router", "finances"};

TEST(EditDistance, counts_inserted_deleted_replaced_and_swapped_characters) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "abd"), 1U);
  EXPECT_EQ(edit_distance("abc", "ab"), 1U);
  EXPECT_EQ(edit_distance("abcd", "abdc"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(NearestNames, come_nearest_first) {
  EXPECT_THAT(nearest_names("finanse", kNames), ElementsAre("finance", "finances"));
}

TEST(NearestNames, are_as_many_as_asked_for) {
  EXPECT_THAT(nearest_names("finanse", kNames, 1), ElementsAre("finance"));
}

TEST(NearestNames, allow_one_edit_in_a_short_name) {
  EXPECT_THAT(nearest_names("hx", kNames), ElementsAre("hr"));
  EXPECT_THAT(nearest_names("xy", kNames), IsEmpty());
}

TEST(NearestNames, leave_out_what_is_far_away) { EXPECT_THAT(nearest_names("legal", kNames), IsEmpty()); }

TEST(NearestNames, do_not_compare_very_long_names) {
  EXPECT_THAT(nearest_names(std::string(300, 'a'), kNames), IsEmpty());
}

}  // namespace
}  // namespace parley
