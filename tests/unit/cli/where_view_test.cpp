#include "services/cli/where_view.hpp"

#include <gmock/gmock.h>
#include <utility>

namespace parley::cli {
namespace {

using ::testing::ElementsAre;

wire::WhereReport place_of(std::string id, std::string worker = "hr@host1") {
  return {.id = std::move(id), .worker = std::move(worker), .epoch = 9};
}

wire::ActivationReport busy_report() {
  return {.worker = "hr@host1",
          .vitals = {.id = "hr/alice",
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
                     .oldest_waiting_ms = 125'000}};
}

TEST(WhereView, tells_what_an_agent_does_and_how_it_did) {
  EXPECT_THAT(
      render_where(place_of("hr/alice"), busy_report(), 1'012'000),
      ElementsAre("hr/alice lives on hr@host1", "  under way     1 turn, 4.0s without progress",
                  "  waiting       3 messages, the oldest for 2m05",
                  "  turns         41 ended well, 1 failed (1 in a row)", "  its model     2 failures (2 in a row)",
                  "  last turns    1.2ms on average, 56ms at p95", "  last activity 12s ago"));
}

TEST(WhereView, of_an_agent_that_did_nothing_yet_is_calm) {
  const wire::ActivationReport idle{.worker = "hr@host1", .vitals = {.id = "hr/new"}};
  EXPECT_THAT(
      render_where(place_of("hr/new"), idle, 1'000),
      ElementsAre("hr/new lives on hr@host1", "  under way     nothing", "  waiting       nothing",
                  "  turns         0 ended well, 0 failed (0 in a row)", "  its model     0 failures (0 in a row)",
                  "  last turns    - on average, - at p95", "  last activity none yet"));
}

TEST(WhereView, of_a_worker_whose_clock_is_ahead_has_no_negative_age) {
  EXPECT_EQ(render_where(place_of("hr/alice"), busy_report(), 999'000).back(), "  last activity 0s ago");
}

TEST(WhereView, says_why_a_worker_did_not_tell) {
  const ToldActivation late = fail(ErrorCode::timeout, "worker 'hr@host1' did not answer in time");
  EXPECT_THAT(render_where(place_of("hr/alice"), late, 1'000),
              ElementsAre("hr/alice lives on hr@host1",
                          "  how it is was not told: worker 'hr@host1' did not answer in time (timeout)"));
  const nlohmann::json shown = where_to_json(place_of("hr/alice"), late);
  EXPECT_EQ(shown.at("worker"), "hr@host1");
  EXPECT_EQ(shown.at("activation"), nullptr);
  EXPECT_EQ(shown.at("not_told").at("code"), "timeout");
}

TEST(WhereView, of_an_agent_that_lives_nowhere_says_so) {
  EXPECT_THAT(render_where(place_of("hr/alice", ""), {}, 1'000), ElementsAre("hr/alice lives nowhere now"));
  const nlohmann::json shown = where_to_json(place_of("hr/alice", ""), {});
  EXPECT_EQ(shown.at("activation"), nullptr);
  EXPECT_EQ(shown.at("not_told"), nullptr);
}

TEST(WhereView, as_json_has_every_number) {
  const nlohmann::json shown = where_to_json(place_of("hr/alice"), busy_report());
  EXPECT_EQ(shown.at("epoch"), 9);
  EXPECT_EQ(shown.at("not_told"), nullptr);
  const nlohmann::json& row = shown.at("activation");
  EXPECT_EQ(row.at("id"), "hr/alice");
  EXPECT_EQ(row.at("waiting"), 3);
  EXPECT_EQ(row.at("oldest_waiting_ms"), 125'000);
  EXPECT_EQ(row.at("inflight"), 1);
  EXPECT_EQ(row.at("model_failures"), 2);
  EXPECT_EQ(row.size(), 13U);
}

}  // namespace
}  // namespace parley::cli
