#include "broker/shell/descriptors.hpp"

#include <gtest/gtest.h>

namespace parley::broker {
namespace {

TEST(Descriptors, leave_room_beside_the_sessions) {
  EXPECT_EQ(sessions_within(256), 176U);
  EXPECT_EQ(sessions_within(1024), 896U);
  for (const std::uint64_t few : {0U, 1U, 64U, 68U}) EXPECT_EQ(sessions_within(few), 1U) << few;
}

TEST(Descriptors, that_are_needed_for_some_sessions_allow_them) {
  for (const std::uint64_t sessions : {1U, 100U, 176U, 10'000U, 1'000'000U}) {
    EXPECT_GE(sessions_within(descriptors_for(sessions)), sessions);
    EXPECT_LE(sessions_within(descriptors_for(sessions)), sessions + 1);
  }
}

}  // namespace
}  // namespace parley::broker
