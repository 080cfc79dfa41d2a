#include <gtest/gtest.h>

#include "libmsg/core/ascii.hpp"
#include "libmsg/core/byte_size.hpp"
#include "libmsg/core/utf8.hpp"

namespace parley {
namespace {

TEST(Ascii, trims_space_and_line_ends_only_at_the_ends) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Ascii, compares_without_regard_to_the_case_of_ascii_letters_only) {
  EXPECT_TRUE(equals_any_case("EnD", "end"));
  EXPECT_FALSE(equals_any_case("end", "ends"));
  EXPECT_FALSE(equals_any_case("Ä", "ä"));
  EXPECT_TRUE(contains_any_case("Please STOP here", "stop"));
  EXPECT_TRUE(contains_any_case("anything", ""));
  EXPECT_FALSE(contains_any_case("sto", "stop"));
}

TEST(Utf8, a_prefix_never_ends_inside_a_character) {
  const std::string text = "a€b";  // 1, 3 and 1 bytes
  const std::string_view expected[] = {"", "a", "a", "a", "a€", "a€b", "a€b"};
  for (std::size_t bytes = 0; bytes < std::size(expected); ++bytes) {
    EXPECT_EQ(utf8_prefix(text, bytes), expected[bytes]) << bytes;
  }
}

TEST(ByteSize, is_read_with_its_unit) {
  EXPECT_EQ(parse_byte_size("1KiB"), 1024U);
  EXPECT_EQ(parse_byte_size("3MiB"), 3U << 20U);
  EXPECT_EQ(parse_byte_size("1048576GiB"), std::uint64_t{1} << 50U);
  EXPECT_EQ(parse_byte_size("0KiB"), 0U);
}

TEST(ByteSize, is_refused_without_a_unit_or_beyond_the_largest) {
  for (const char* text : {"", "5", "MiB", "1 MiB", "1.5MiB", "-1KiB", "1MB", "1KiBx", "99999999999999999999KiB"}) {
    EXPECT_FALSE(parse_byte_size(text)) << text;
  }
  EXPECT_EQ(parse_byte_size("1048577GiB").error().message, "expected at most 1048576GiB");
}

TEST(ByteSize, is_written_in_the_largest_unit_that_fits_whole) {
  EXPECT_EQ(format_byte_size(0), "0B");
  EXPECT_EQ(format_byte_size(1000), "1000B");
  EXPECT_EQ(format_byte_size(1536), "1536B");
  EXPECT_EQ(format_byte_size(3072), "3KiB");
  EXPECT_EQ(format_byte_size(std::uint64_t{5} << 30U), "5GiB");
}

}  // namespace
}  // namespace parley
