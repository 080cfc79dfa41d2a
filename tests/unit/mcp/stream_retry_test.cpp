#include "agents/mcp/stream_retry.hpp"

#include <gtest/gtest.h>

#include "agents/mcp/client_observer.hpp"

namespace parley::mcp {
namespace {

using namespace std::chrono_literals;

struct StreamRetryTest : testing::Test {
  std::optional<Duration> next(int status, bool is_stream = false, Duration stood = 0s) {
    return retry.next({status, is_stream, stood}, random);
  }
  SeededRandom random{1};
  StreamRetry retry;
};

TEST_F(StreamRetryTest, asks_no_more_where_there_is_no_stream_or_not_for_us) {
  for (const int status : {200, 204, 301, 400, 401, 403, 404, 405, 406, 501}) EXPECT_FALSE(next(status)) << status;
}

TEST_F(StreamRetryTest, asks_again_after_failures_that_may_pass_and_after_every_end_of_a_stream) {
  for (const int status : {0, 409, 429, 500, 502, 503}) EXPECT_TRUE(next(status)) << status;
  EXPECT_TRUE(next(200, true));
}

TEST_F(StreamRetryTest, pauses_longer_each_time_until_a_stream_was_a_good_one) {
  Duration pause{};
  for (int i = 0; i < 20; ++i) pause = next(503).value();
  EXPECT_GE(pause, 30s);
  EXPECT_LE(pause, 60s);
  EXPECT_GE(next(200, true, 1s).value(), 30s) << "it stood for too short a time";
  EXPECT_LE(next(200, true, 10s).value(), 500ms);
}

TEST_F(StreamRetryTest, pauses_at_least_as_long_as_the_server_wishes_within_reason) {
  retry.set_wish(5s);
  EXPECT_GE(next(200, true, 10s).value(), 5s);
  retry.set_wish(std::chrono::hours(24));
  EXPECT_LE(next(200, true, 10s).value(), 60s);
}

TEST(RequestOutcome, is_one_of_a_few_words_for_the_metrics) {
  EXPECT_EQ(outcome_of(Json{{"result", 1}}), RequestOutcome::ok);
  EXPECT_EQ(outcome_of(Json{{"error", {{"code", -32601}}}}), RequestOutcome::rejected);
  EXPECT_EQ(outcome_of(fail(ErrorCode::timeout, "")), RequestOutcome::timeout);
  EXPECT_EQ(outcome_of(fail(ErrorCode::cancelled, "")), RequestOutcome::cancelled);
  EXPECT_EQ(outcome_of(fail(ErrorCode::unreachable, "")), RequestOutcome::unreachable);
  EXPECT_EQ(outcome_of(fail(ErrorCode::unauthorized, "")), RequestOutcome::unauthorized);
  EXPECT_EQ(outcome_of(fail(ErrorCode::overloaded, "")), RequestOutcome::failed);
}

}  // namespace
}  // namespace parley::mcp
