#include "agents/llm/retry.hpp"

#include <gtest/gtest.h>

namespace parley::llm {
namespace {

using namespace std::chrono_literals;

class RetryTest : public testing::Test {
 protected:
  std::optional<Duration> delay(const ModelError& failure, Duration time_left = 1h) {
    return retry_.delay_after(failure, now_, now_ + time_left, random_);
  }

  static ModelError failed(bool is_retryable, std::optional<std::chrono::milliseconds> retry_after = std::nullopt) {
    return {.error = Error(ErrorCode::upstream_failed, "x", is_retryable), .retry_after = retry_after};
  }

  TimePoint now_{1h};
  SeededRandom random_{1};
  Retry retry_{RetryOptions{}};
};

TEST_F(RetryTest, waits_longer_each_time_and_gives_up_after_two_retries) {
  const auto first = delay(failed(true));
  const auto second = delay(failed(true));
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(*first >= 375ms && *first <= 500ms);
  EXPECT_TRUE(*second >= 750ms && *second <= 1s);
  EXPECT_FALSE(delay(failed(true)));
}

TEST_F(RetryTest, gives_up_at_once_when_the_failure_will_stay) { EXPECT_FALSE(delay(failed(false))); }

TEST_F(RetryTest, gives_up_at_once_when_nobody_was_asked) {
  ModelError refused = failed(true, 1s);
  refused.kind = ModelError::Kind::refused_here;
  EXPECT_FALSE(delay(refused));
}

TEST_F(RetryTest, waits_as_long_as_the_provider_asks) { EXPECT_EQ(delay(failed(true, 20s)), Duration(20s)); }

TEST_F(RetryTest, gives_up_on_a_wait_beyond_two_minutes) {
  EXPECT_EQ(delay(failed(true, 120s)), Duration(120s));
  EXPECT_FALSE(delay(failed(true, 121s)));
}

TEST_F(RetryTest, gives_up_on_a_wait_that_ends_behind_the_deadline) { EXPECT_FALSE(delay(failed(true, 20s), 20s)); }

}  // namespace
}  // namespace parley::llm
