#include "libmsg/core/whole_number.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(WholeNumber, is_the_whole_text) {
  EXPECT_EQ(whole_number("0"), 0U);
  EXPECT_EQ(whole_number("0042"), 42U);
  EXPECT_EQ(whole_number("18446744073709551615"), 18'446'744'073'709'551'615U);
}

TEST(WholeNumber, is_nothing_else) {
  for (const char* const text : {"", " 1", "1 ", "-1", "+1", "1.0", "0x10", "12a", "18446744073709551616"}) {
    EXPECT_FALSE(whole_number(text)) << text;
  }
}

}  // namespace
}  // namespace parley
