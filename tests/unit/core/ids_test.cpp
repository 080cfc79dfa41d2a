#include "libmsg/core/ids.hpp"

#include <gtest/gtest.h>
#include <string>
#include <type_traits>
#include <unordered_set>

namespace parley {
namespace {

// [P-ID-1]
TEST(AgentId, is_type_and_key_split_at_the_first_slash) {
  const auto id = AgentId::parse("critic/a/b");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->type(), "critic");
  EXPECT_EQ(id->key(), "a/b");
  EXPECT_EQ(id->str(), "critic/a/b");
}

TEST(AgentId, without_a_key_means_default) { EXPECT_EQ(AgentId::parse("critic")->str(), "critic/default"); }

TEST(AgentId, with_an_empty_key_is_invalid) {
  const auto id = AgentId::parse("critic/");
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, ErrorCode::invalid);
  EXPECT_NE(id.error().message.find("agent key"), std::string::npos);
}

// [P-LIM-2]
TEST(AgentId, takes_types_up_to_128_bytes_and_keys_up_to_256) {
  EXPECT_TRUE(AgentId::make(std::string(128, 'a'), std::string(256, 'k')));
  EXPECT_FALSE(AgentId::make(std::string(129, 'a'), "k"));
  EXPECT_FALSE(AgentId::make("a", std::string(257, 'k')));
  EXPECT_FALSE(AgentId::make("", "k"));
}

// [P-ID-1]
TEST(AgentId, type_takes_exactly_letters_digits_underscore_dot_and_dash) {
  for (int c = 0; c < 256; ++c) {
    const bool is_allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    EXPECT_EQ(is_valid_agent_type(std::string(1, static_cast<char>(c))), is_allowed) << c;
  }
}

// [P-ID-1]
TEST(AgentId, key_takes_exactly_printable_ascii) {
  for (int c = 0; c < 256; ++c) {
    EXPECT_EQ(is_valid_agent_key(std::string(1, static_cast<char>(c))), c >= 0x20 && c <= 0x7E) << c;
  }
}

TEST(AgentId, error_never_repeats_control_characters_or_endless_text) {
  const auto id = AgentId::make("evil\x1b[2J" + std::string(5000, 'x'), "k");
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().message.find('\x1b'), std::string::npos);
  EXPECT_LT(id.error().message.size(), 200U);
}

TEST(AgentId, default_constructed_names_nobody) {
  EXPECT_TRUE(AgentId().is_empty());
  EXPECT_FALSE(AgentId::parse("a")->is_empty());
}

TEST(AgentId, hash_tells_type_and_key_apart) {
  const std::unordered_set<AgentId> ids{*AgentId::make("a", "b"), *AgentId::make("b", "a"), *AgentId::make("a", "b")};
  EXPECT_EQ(ids.size(), 2U);
}

// [P-ID-2]
TEST(Topic, type_also_takes_colon_and_equals_sign) {
  EXPECT_EQ(Topic::parse("orders:eu=1/42")->source(), "42");
  EXPECT_FALSE(AgentId::parse("orders:eu=1/42"));
  EXPECT_FALSE(Topic::parse("orders eu/42"));
}

TEST(Topic, without_a_source_means_default) { EXPECT_EQ(Topic::parse("orders")->str(), "orders/default"); }

TEST(SplitId, gives_an_empty_key_without_a_slash) {
  EXPECT_EQ(split_id("critic").type, "critic");
  EXPECT_EQ(split_id("critic").key, "");
  EXPECT_EQ(split_id("/x").type, "");
  EXPECT_EQ(split_id("/x").key, "x");
}

TEST(StrongNumber, of_one_meaning_does_not_become_another) {
  static_assert(!std::is_convertible_v<SessionToken, MessageId>);
  static_assert(!std::is_convertible_v<std::uint64_t, MessageId>);
  static_assert(!std::is_convertible_v<MessageId, std::uint64_t>);
  EXPECT_TRUE(MessageId().is_zero());
  EXPECT_LT(Epoch(1), Epoch(std::uint64_t{1} << 32U));
}

}  // namespace
}  // namespace parley
