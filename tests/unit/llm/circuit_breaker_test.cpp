#include "agents/llm/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace parley::llm {
namespace {

using namespace std::chrono_literals;

class CircuitBreakerTest : public testing::Test {
 protected:
  CircuitBreaker::Permit admitted() {
    const auto permit = breaker_.admit(now_);
    EXPECT_TRUE(permit);
    return permit.value_or(CircuitBreaker::Permit{});
  }
  void fail(std::optional<Duration> retry_after = std::nullopt) { breaker_.failed(admitted(), retry_after, now_); }
  /// How long the circuit stays open from now on; zero when it is not.
  Duration refused_for() {
    const auto permit = breaker_.admit(now_);
    if (!permit) return permit.error();
    breaker_.abandoned(*permit);
    return Duration::zero();
  }

  TimePoint now_{1h};
  CircuitBreaker breaker_{{.failures = 3, .open_for = 10s, .max_open_for = 35s}};
};

TEST_F(CircuitBreakerTest, opens_after_so_many_failures_in_a_row) {
  fail();
  fail();
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  fail();
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(refused_for(), Duration(10s));
}

TEST_F(CircuitBreakerTest, starts_counting_again_after_a_success) {
  fail();
  fail();
  breaker_.succeeded(admitted());
  fail();
  fail();
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(CircuitBreakerTest, does_not_count_calls_that_say_nothing) {
  fail();
  fail();
  breaker_.abandoned(admitted());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  fail();
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, lets_one_call_try_when_the_time_is_over) {
  for (int i = 0; i < 3; ++i) fail();
  now_ += 10s;
  const CircuitBreaker::Permit trial = admitted();
  EXPECT_TRUE(trial.is_trial);
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  EXPECT_FALSE(breaker_.admit(now_));
  breaker_.succeeded(trial);
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  EXPECT_FALSE(admitted().is_trial);
}

TEST_F(CircuitBreakerTest, stays_open_twice_as_long_after_each_failed_trial_up_to_a_limit) {
  for (int i = 0; i < 3; ++i) fail();
  for (const Duration expected : {Duration(20s), Duration(35s), Duration(35s)}) {
    now_ += 35s;
    fail();
    EXPECT_EQ(refused_for(), expected);
  }
  now_ += 35s;
  breaker_.succeeded(admitted());
  for (int i = 0; i < 3; ++i) fail();
  EXPECT_EQ(refused_for(), Duration(10s));
}

TEST_F(CircuitBreakerTest, lets_another_call_try_when_the_trial_was_abandoned) {
  for (int i = 0; i < 3; ++i) fail();
  now_ += 10s;
  breaker_.abandoned(admitted());
  EXPECT_TRUE(admitted().is_trial);
}

TEST_F(CircuitBreakerTest, ignores_what_calls_of_an_earlier_state_tell) {
  const CircuitBreaker::Permit early = admitted();
  const CircuitBreaker::Permit other = admitted();
  for (int i = 0; i < 3; ++i) fail();
  breaker_.succeeded(early);
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  now_ += 10s;
  const CircuitBreaker::Permit trial = admitted();
  breaker_.failed(other, std::nullopt, now_);
  breaker_.succeeded(trial);
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(CircuitBreakerTest, leaves_the_provider_alone_for_as_long_as_it_asks) {
  fail();
  fail();
  fail(20s);
  EXPECT_EQ(refused_for(), Duration(20s));
}

}  // namespace
}  // namespace parley::llm
