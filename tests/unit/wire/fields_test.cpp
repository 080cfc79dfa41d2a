#include "libmsg/wire/fields.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "libmsg/wire/control.hpp"

namespace parley::wire {
namespace {

/// The names of its members are those of the parameters that a macro could have.
struct Mine {
  std::uint64_t packer = 7;
  std::string source;
  std::vector<std::string> names;
  PARLEY_FIELDS(packer, source, names)
  friend bool operator==(const Mine&, const Mine&) = default;
};

struct Theirs {
  std::uint64_t packer = 7;
  std::string source;
  std::vector<std::string> names;
  MSGPACK_DEFINE_MAP(packer, source, names)
};

ByteBuffer packed(const std::vector<std::pair<std::string, int>>& entries) {
  ByteBuffer out;
  msgpack::packer<ByteBuffer> packer(out);
  packer.pack_map(static_cast<std::uint32_t>(entries.size()));
  for (const auto& [key, value] : entries) {
    packer.pack(key);
    packer.pack(value);
  }
  return out;
}

RC_GTEST_PROP(Fields, are_written_as_msgpack_writes_them, (const std::string& text, std::uint64_t number)) {
  const ByteBuffer mine = encode_body(Mine{number, text, {text, text}});
  const ByteBuffer theirs = encode_body(Theirs{number, text, {text, text}});
  RC_ASSERT(mine.text() == theirs.text());
}

RC_GTEST_PROP(Fields, are_read_back, (const std::string& text, std::uint64_t number)) {
  const Mine sent{number, text, {text}};
  const ByteBuffer encoded = encode_body(sent);
  const Result<Mine> got = decode_body<Mine>(as_bytes(encoded.text()));
  RC_ASSERT(got.has_value());
  RC_ASSERT(*got == sent);
}

struct Three {
  int a = -1;
  int b = -2;
  int c = -3;
  PARLEY_FIELDS(a, b, c)
  friend bool operator==(const Three&, const Three&) = default;
};

Result<Three> read(const std::vector<std::pair<std::string, int>>& entries) {
  return decode_body<Three>(as_bytes(packed(entries).text()));
}

TEST(Fields, may_come_in_any_order_with_others_between_them) {
  EXPECT_EQ(read({{"c", 3}, {"x", 9}, {"b", 2}, {"a", 1}, {"y", 9}}), (Three{1, 2, 3}));
  EXPECT_EQ(read({{"b", 2}, {"a", 1}, {"c", 3}}), (Three{1, 2, 3}));
}

TEST(Fields, that_are_missing_keep_their_value) {
  EXPECT_EQ(read({{"b", 2}}), (Three{-1, 2, -3}));
  EXPECT_EQ(read({}), Three{});
}

TEST(Fields, with_a_name_that_begins_like_another_are_told_apart) { EXPECT_EQ(read({{"aa", 5}, {"", 6}}), Three{}); }

TEST(Fields, refuse_what_is_no_map_of_names) {
  ByteBuffer list;
  msgpack::pack(list, std::vector<int>{1, 2});
  EXPECT_FALSE(decode_body<Three>(as_bytes(list.text())));
  ByteBuffer numbers;
  msgpack::pack(numbers, std::map<int, int>{{1, 2}});
  EXPECT_FALSE(decode_body<Three>(as_bytes(numbers.text())));
  ByteBuffer wrong;
  msgpack::pack(wrong, std::map<std::string, std::string>{{"a", "text"}});
  EXPECT_FALSE(decode_body<Three>(as_bytes(wrong.text())));
}

}  // namespace
}  // namespace parley::wire
