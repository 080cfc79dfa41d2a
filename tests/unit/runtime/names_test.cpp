// The texts that people and configurations name targets, topics and shards with.
#include <gtest/gtest.h>

#include "libmsg/runtime/messenger.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "libmsg/runtime/shard.hpp"

namespace parley {
namespace {

TEST(Target, type_alone_means_the_default_key) { EXPECT_EQ(Target::parse("hr")->str(), "hr/default"); }

TEST(Target, key_may_contain_a_slash) { EXPECT_EQ(Target::parse("hr/a/b")->str(), "hr/a/b"); }

TEST(Target, capability_is_kept_as_written) {
  EXPECT_EQ(Target::parse("@translate")->str(), "@translate");
  EXPECT_EQ(Target::parse("@translate/x")->str(), "@translate/x");
}

TEST(Target, malformed_text_is_invalid) {
  for (const char* text : {"", "/", "a b", "@", "@/x", "@a b", "@a/", "a/"}) {
    EXPECT_FALSE(Target::parse(text).has_value()) << text;
  }
}

TEST(TopicFilter, star_at_the_end_makes_a_prefix) {
  const TopicFilter filter = TopicFilter::parse("orders.*").value();
  EXPECT_EQ(filter.type, "orders.");
  EXPECT_TRUE(filter.is_prefix);
  EXPECT_TRUE(TopicFilter::parse("*").value().is_prefix);
  EXPECT_FALSE(TopicFilter::parse("orders").value().is_prefix);
}

TEST(TopicFilter, malformed_text_is_invalid) {
  for (const char* text : {"", "a*b", "a b", "a/b"}) EXPECT_FALSE(TopicFilter::parse(text).has_value()) << text;
}

TEST(Shard, one_broker_has_everything) { EXPECT_EQ(shard_of("anything", 1), 0U); }

TEST(Shard, adding_a_broker_moves_only_its_share) {
  int moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = "agent/" + std::to_string(i);
    const std::size_t before = shard_of(id, 3);
    const std::size_t after = shard_of(id, 4);
    if (before == after) continue;
    EXPECT_EQ(after, 3U);
    moved++;
  }
  EXPECT_GT(moved, 150);
  EXPECT_LT(moved, 350);
}

}  // namespace
}  // namespace parley
