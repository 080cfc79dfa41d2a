#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/unit/wire/sample_envelope.hpp"

namespace parley::wire {
namespace {

// [P-ATT-1]
TEST(Attributes, read_back_in_order) {
  const ByteBuffer map = attribute_map({{"b", "2"}, {"a", ""}, {"traceparent", "00-x"}});
  const auto entries = parse_attributes(map.bytes());
  ASSERT_TRUE(entries);
  EXPECT_EQ(*entries, (std::vector<Attribute>{{"b", "2"}, {"a", ""}, {"traceparent", "00-x"}}));
}

// [P-ATT-1]
TEST(Attributes, have_a_three_byte_head_per_entry) {
  EXPECT_EQ(attribute_map({{"ab", "xyz"}}).text(), std::string("\x02\x03\x00", 3) + "abxyz");
}

// [P-ATT-2]
TEST(Attributes, cut_at_any_byte_inside_an_entry_are_invalid) {
  const ByteBuffer map = attribute_map({{"name", "value"}});
  const std::vector<std::byte> whole(map.bytes().begin(), map.bytes().end());
  for (std::size_t count = 1; count < whole.size(); ++count) {
    EXPECT_FALSE(parse_attributes(cut(whole, count))) << count;
    EXPECT_EQ(find_attribute(cut(whole, count), "name"), std::nullopt) << count;
  }
}

// [P-ATT-2]
TEST(Attributes, with_an_empty_name_are_invalid) {
  ByteBuffer out;
  EXPECT_EQ(append_attribute(out, "", "x").error().code, ErrorCode::invalid);
  EXPECT_TRUE(out.is_empty());
  out.append(std::string_view("\0\x01\0x", 4));
  EXPECT_FALSE(parse_attributes(out.bytes()));
  EXPECT_EQ(find_attribute(out.bytes(), ""), std::nullopt);
}

// [P-ATT-3]
TEST(Attributes, first_of_two_equal_names_counts) {
  const ByteBuffer map = attribute_map({{"a", "1"}, {"a", "2"}});
  EXPECT_EQ(find_attribute(map.bytes(), "a"), "1");
}

TEST(Attributes, absent_name_is_not_found) {
  EXPECT_EQ(find_attribute(attribute_map({{"ab", "1"}}).bytes(), "a"), std::nullopt);
  EXPECT_EQ(find_attribute({}, "a"), std::nullopt);
}

// [P-ERR-3]
TEST(Details, of_an_error_read_back_among_other_attributes) {
  const ErrorDetails details{{"budget", "desk"}, {"subject", ""}};
  ByteBuffer map = attribute_map({{"traceparent", "00-x"}});
  append_details(map, details);
  EXPECT_EQ(parse_details(map.bytes()), details);
  EXPECT_EQ(find_attribute(map.bytes(), "traceparent"), "00-x");
  EXPECT_EQ(find_attribute(map.bytes(), "detail-budget"), "desk");
}

// [P-ERR-3]
TEST(Details, beyond_16_or_4_KiB_are_left_out) {
  ErrorDetails details;
  for (int i = 0; i < 20; ++i) details.emplace_back("n" + std::to_string(i), "v");
  ByteBuffer many;
  append_details(many, details);
  EXPECT_EQ(parse_details(many.bytes()).size(), kMaxErrorDetails);
  EXPECT_EQ(parse_details(many.bytes()).back().first, "n15");
  ByteBuffer large;
  append_details(large, {{"a", "1"}, {"b", std::string(kMaxErrorDetailBytes, 'x')}, {"c", "3"}});
  EXPECT_EQ(parse_details(large.bytes()), (ErrorDetails{{"a", "1"}}));
}

// [P-ERR-3]
TEST(Details, of_a_malformed_map_are_none) {
  ByteBuffer map;
  append_details(map, {{"budget", "desk"}});
  map.append(std::string_view("\x05\x01"));
  EXPECT_EQ(parse_details(map.bytes()), ErrorDetails());
  EXPECT_EQ(parse_details({}), ErrorDetails());
}

// [P-LIM-6]
TEST(Attributes, name_takes_up_to_255_bytes) {
  ByteBuffer out;
  EXPECT_TRUE(append_attribute(out, std::string(kMaxAttributeNameBytes, 'n'), "v"));
  EXPECT_FALSE(append_attribute(out, std::string(kMaxAttributeNameBytes + 1, 'n'), "v"));
}

// [P-LIM-4]
TEST(Attributes, fill_16_KiB_and_not_one_byte_more) {
  ByteBuffer out;
  EXPECT_TRUE(append_attribute(out, "n", std::string(kMaxAttributesBytes - 4, 'v')));
  EXPECT_EQ(out.size(), kMaxAttributesBytes);
  EXPECT_EQ(append_attribute(out, "n", "").error().code, ErrorCode::too_large);
  ByteBuffer other;
  EXPECT_EQ(append_attribute(other, "n", std::string(kMaxAttributesBytes - 3, 'v')).error().code, ErrorCode::too_large);
  EXPECT_TRUE(other.is_empty());
}

// [P-LIM-7]
TEST(Attributes, writer_takes_no_more_entries_than_the_reader_accepts) {
  ByteBuffer out;
  for (std::size_t i = 0; i < kMaxAttributes; ++i) ASSERT_TRUE(append_attribute(out, "n" + std::to_string(i), "v"));
  EXPECT_TRUE(parse_attributes(out.bytes()));
  EXPECT_EQ(append_attribute(out, "one-more", "v").error().code, ErrorCode::too_large);
  out.append(std::string_view("\x01\x00\x00x", 4));
  EXPECT_EQ(parse_attributes(out.bytes()).error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace parley::wire
