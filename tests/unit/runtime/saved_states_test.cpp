#include "libmsg/runtime/saved_states.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(SavedStates, keep_the_latest_state_of_an_id) {
  SavedStates states(10, 1000);
  states.put("a/1", "old");
  states.put("a/1", "new");
  ASSERT_NE(states.find("a/1"), nullptr);
  EXPECT_EQ(*states.find("a/1"), "new");
  EXPECT_EQ(states.bytes(), 6U);
  states.erase("a/1");
  EXPECT_EQ(states.find("a/1"), nullptr);
  EXPECT_EQ(states.bytes(), 0U);
}

TEST(SavedStates, drop_the_oldest_beyond_their_number_and_count_it) {
  SavedStates states(2, 1000);
  for (const char* id : {"a/1", "a/2", "a/3"}) states.put(id, "x");
  EXPECT_EQ(states.find("a/1"), nullptr);
  EXPECT_NE(states.find("a/3"), nullptr);
  EXPECT_EQ(states.size(), 2U);
  EXPECT_EQ(states.dropped(), 1U);
}

TEST(SavedStates, put_again_count_as_new) {
  SavedStates states(2, 1000);
  for (const char* id : {"a/1", "a/2", "a/1", "a/3"}) states.put(id, "x");
  EXPECT_EQ(states.find("a/2"), nullptr);
  EXPECT_NE(states.find("a/1"), nullptr);
}

TEST(SavedStates, are_bounded_in_bytes) {
  SavedStates states(100, 20);
  states.put("a/1", "12345");
  states.put("a/2", "1234567890");
  EXPECT_EQ(states.find("a/1"), nullptr);
  states.put("a/3", std::string(100, 'x'));
  EXPECT_EQ(states.size(), 0U);
  EXPECT_EQ(states.bytes(), 0U);
  EXPECT_EQ(states.dropped(), 3U);
}

}  // namespace
}  // namespace parley
