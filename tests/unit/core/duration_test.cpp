#include "libmsg/core/duration.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

using std::chrono::milliseconds;

TEST(Duration, is_read_with_each_unit) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("5s"), milliseconds(5'000));
  EXPECT_EQ(parse_duration("2m"), milliseconds(120'000));
  EXPECT_EQ(parse_duration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("0"), milliseconds(0));
}

TEST(Duration, is_refused_without_a_unit_or_with_anything_else) {
  for (const char* text : {"", "5", "s", "-1s", "+1s", "1.5s", "5 s", "5S", "5sec", "5s ", " 5s", "0x5s", "five"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid) << text;
  }
}

TEST(Duration, is_refused_when_it_would_not_fit) {
  EXPECT_EQ(parse_duration("10000h"), milliseconds(std::int64_t{36'000'000'000}));
  EXPECT_FALSE(parse_duration("10001h"));
  EXPECT_FALSE(parse_duration("9223372036854775807h"));
  EXPECT_FALSE(parse_duration("9223372036854775808ms"));
}

TEST(Duration, is_written_with_the_largest_unit_that_keeps_it_whole) {
  EXPECT_EQ(format_duration(milliseconds(0)), "0s");
  EXPECT_EQ(format_duration(milliseconds(1'500)), "1500ms");
  EXPECT_EQ(format_duration(milliseconds(90'000)), "90s");
  EXPECT_EQ(format_duration(milliseconds(120'000)), "2m");
  EXPECT_EQ(format_duration(milliseconds(7'200'000)), "2h");
}

TEST(Duration, that_was_written_is_read_back) {
  for (const std::int64_t count : {0, 1, 999, 1'000, 1'001, 59'999, 60'000, 3'599'000, 86'400'000}) {
    EXPECT_EQ(parse_duration(format_duration(milliseconds(count))), milliseconds(count));
  }
}

}  // namespace
}  // namespace parley
