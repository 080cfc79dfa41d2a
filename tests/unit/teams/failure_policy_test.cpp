#include "agents/teams/failure_policy.hpp"

#include <gtest/gtest.h>

namespace parley::teams {
namespace {

using std::chrono::milliseconds;
using What = TurnAttempts::Decision::What;

const Error kTimeout(ErrorCode::timeout, "late");
const Error kInvalid(ErrorCode::invalid, "wrong");

TEST(FailurePolicy, aborts_at_once_by_default) { EXPECT_EQ(TurnAttempts({}).after(kTimeout).what, What::abort); }

TEST(FailurePolicy, retries_with_growing_pauses_and_then_gives_up) {
  TurnAttempts attempts({.retries = 3, .backoff = milliseconds(100), .then = FailurePolicy::Then::skip});
  for (const int pause : {100, 200, 400}) {
    const auto decision = attempts.after(kTimeout);
    EXPECT_EQ(decision.what, What::retry);
    EXPECT_EQ(decision.pause, milliseconds(pause));
  }
  EXPECT_EQ(attempts.after(kTimeout).what, What::skip);
}

TEST(FailurePolicy, limits_the_pauses) {
  TurnAttempts attempts({.retries = 20, .backoff = milliseconds(50'000)});
  (void)attempts.after(kTimeout);
  EXPECT_EQ(attempts.after(kTimeout).pause, FailurePolicy::kMaxBackoff);
}

TEST(FailurePolicy, does_not_retry_what_would_fail_again) {
  TurnAttempts attempts({.retries = 3, .then = FailurePolicy::Then::skip});
  EXPECT_EQ(attempts.after(kInvalid).what, What::skip);
  EXPECT_FALSE(may_help_to_retry(Error(ErrorCode::budget_exceeded, "")));
  EXPECT_FALSE(may_help_to_retry(Error(ErrorCode::unauthorized, "")));
  EXPECT_TRUE(may_help_to_retry(Error(ErrorCode::worker_lost, "")));
  EXPECT_TRUE(may_help_to_retry(Error(ErrorCode::invalid, "", true))) << "who says so knows";
}

TEST(FailurePolicy, replaces_once_and_retries_the_replacement) {
  TurnAttempts attempts({.retries = 1, .then = FailurePolicy::Then::replace, .replacement = "other"});
  EXPECT_EQ(attempts.after(kTimeout).what, What::retry);
  EXPECT_EQ(attempts.after(kTimeout).what, What::replace);
  EXPECT_TRUE(attempts.is_replaced());
  EXPECT_EQ(attempts.after(kTimeout).what, What::retry);
  EXPECT_EQ(attempts.after(kTimeout).what, What::abort);
}

TEST(FailurePolicy, lets_nothing_survive_a_cancellation) {
  TurnAttempts attempts({.retries = 3, .then = FailurePolicy::Then::skip});
  EXPECT_EQ(attempts.after(Error(ErrorCode::cancelled, "")).what, What::abort);
}

}  // namespace
}  // namespace parley::teams
