#include "services/cli/activation_view.hpp"

#include <gmock/gmock.h>

#include "services/cli/report_json.hpp"

namespace parley::cli {
namespace {

using ::testing::ElementsAre;

wire::ActivationVitals busy_activation() {
  return {.id = "hr/alice",
          .successes = 41,
          .failures = 1,
          .consecutive_failures = 1,
          .consecutive_model_failures = 2,
          .waiting = 3,
          .without_progress_ms = 4'000,
          .last_activity_ms = 1'000'000,
          .latency_avg_us = 1'240,
          .latency_p95_us = 56'400,
          .model_failures = 2,
          .inflight = 1,
          .oldest_waiting_ms = 125'000};
}

TEST(ActivationView, tells_what_an_agent_does_and_how_it_did) {
  EXPECT_THAT(
      render_activation(busy_activation(), 1'012'000),
      ElementsAre("  under way     1 turn, 4.0s without progress", "  waiting       3 messages, the oldest for 2m05",
                  "  turns         41 ended well, 1 failed (1 in a row)", "  its model     2 failures (2 in a row)",
                  "  last turns    1.2ms on average, 56ms at p95", "  last activity 12s ago"));
}

TEST(ActivationView, of_an_agent_that_did_nothing_yet_is_calm) {
  EXPECT_THAT(
      render_activation({.id = "hr/new"}, 1'000),
      ElementsAre("  under way     nothing", "  waiting       nothing",
                  "  turns         0 ended well, 0 failed (0 in a row)", "  its model     0 failures (0 in a row)",
                  "  last turns    - on average, - at p95", "  last activity none yet"));
}

TEST(ActivationView, of_a_worker_whose_clock_is_ahead_has_no_negative_age) {
  EXPECT_EQ(render_activation(busy_activation(), 999'000).back(), "  last activity 0s ago");
}

TEST(ActivationView, as_json_has_every_number) {
  const nlohmann::json row = activation_to_json(busy_activation());
  EXPECT_EQ(row.at("id"), "hr/alice");
  EXPECT_EQ(row.at("waiting"), 3);
  EXPECT_EQ(row.at("oldest_waiting_ms"), 125'000);
  EXPECT_EQ(row.at("inflight"), 1);
  EXPECT_EQ(row.at("model_failures"), 2);
  EXPECT_EQ(row.size(), 13U);
}

}  // namespace
}  // namespace parley::cli
