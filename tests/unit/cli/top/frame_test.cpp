#include "services/cli/top/frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/top/sample_report.hpp"

namespace parley::cli::top {
namespace {

using testing::ElementsAre;
using testing::Optional;

constexpr TimePoint kStart{std::chrono::hours(1)};

TEST(TopSampler, the_first_report_has_no_rates) {
  Sampler sampler;
  const Frame frame = sampler.add(sample_report(), {}, kStart);
  EXPECT_EQ(frame.types[0].rate, std::nullopt);
  EXPECT_EQ(frame.header.requests, std::nullopt);
}

TEST(TopSampler, rates_are_differences_over_the_time_between_two_reports) {
  Sampler sampler;
  wire::PsReport report = sample_report();
  (void)sampler.add(report, {}, kStart);
  report.types[0].requests += 50;
  report.types[0].failures += 4;
  report.types[0].output_tokens += 500;
  report.numbers[0].value += 60;
  report.peers[0].vitals.types[0].successes += 20;
  const Frame frame = sampler.add(report, {}, kStart + std::chrono::seconds(2));
  EXPECT_THAT(frame.types[0].rate, Optional(25.0));
  EXPECT_THAT(frame.types[0].error_rate, Optional(2.0));
  EXPECT_THAT(frame.types[0].token_rate, Optional(250.0));
  EXPECT_THAT(frame.types[1].rate, Optional(0.0));
  EXPECT_THAT(frame.header.requests, Optional(30.0));
  EXPECT_THAT(frame.header.tokens, Optional(250.0));
  EXPECT_THAT(frame.workers[0].rate, Optional(10.0));
}

TEST(TopSampler, a_restarted_broker_begins_without_rates) {
  Sampler sampler;
  wire::PsReport report = sample_report();
  (void)sampler.add(report, {}, kStart);
  report.shard_epoch = 5;
  report.types[0].requests = 3;
  const Frame frame = sampler.add(report, {}, kStart + std::chrono::seconds(1));
  EXPECT_EQ(frame.types[0].rate, std::nullopt);
}

TEST(TopSampler, a_counter_that_fell_has_no_rate) {
  Sampler sampler;
  wire::PsReport report = sample_report();
  (void)sampler.add(report, {}, kStart);
  report.types[0].input_tokens = 0;  // Its worker was restarted.
  const Frame frame = sampler.add(report, {}, kStart + std::chrono::seconds(1));
  EXPECT_EQ(frame.types[0].token_rate, std::nullopt);
  EXPECT_THAT(frame.types[0].rate, Optional(0.0));
}

TEST(TopSampler, workers_and_clients_are_told_apart) {
  Sampler sampler;
  const Frame frame = sampler.add(sample_report(), {}, kStart);
  EXPECT_EQ(frame.workers.size(), 2U);
  EXPECT_EQ(frame.header.clients, 1U);
  EXPECT_EQ(frame.header.workers_by_health.at("degraded"), 1U);
}

TEST(TopSampler, restarts_come_from_the_supervisor_for_workers_and_their_types) {
  Sampler sampler;
  const messages::SupervisorReport supervisor{"local", {{.name = "hr", .state = "running", .restarts = 3}}, {}};
  const Frame frame = sampler.add(sample_report(), {supervisor}, kStart);
  EXPECT_THAT(frame.workers[0].restarts, Optional(3U));
  EXPECT_THAT(frame.types[0].restarts, Optional(3U));
  EXPECT_EQ(frame.types[1].restarts, std::nullopt);
}

TEST(TopSampler, restarts_of_pods_on_any_node_are_found_by_their_names_on_the_bus) {
  Sampler sampler;
  const messages::SupervisorReport elsewhere{"elsewhere", {{.name = "other", .state = "running", .restarts = 9}}, {}};
  const messages::SupervisorReport pods{
      "parley", {{.name = "hr.0", .state = "running", .restarts = 3, .peer = "hr"}}, {}};
  const Frame frame = sampler.add(sample_report(), {elsewhere, pods}, kStart);
  EXPECT_THAT(frame.workers[0].restarts, Optional(3U));
  EXPECT_THAT(frame.types[0].restarts, Optional(3U));
}

TEST(TopSampler, alerts_name_what_is_not_well_the_worst_first) {
  Sampler sampler;
  wire::PsReport report = sample_report();
  report.peers[1].health = "healthy";
  report.quarantines = {{"hr/alice", "crashed its worker twice", 0, 12}};
  const messages::SupervisorReport supervisor{
      "local", {{.name = "legal", .state = "waiting", .reason = "restarted too often"}}, {}};
  const Frame frame = sampler.add(report, {supervisor}, kStart);
  EXPECT_THAT(frame.alerts, ElementsAre("hr/alice is quarantined: crashed its worker twice (12 refused)",
                                        "agent type finance is degraded: 3 failures of the model in a row",
                                        "process legal is waiting: restarted too often"));
}

TEST(TopJson, has_rates_as_numbers_or_null) {
  Sampler sampler;
  const nlohmann::json json = to_json(sampler.add(sample_report(), {}, kStart));
  EXPECT_TRUE(json["types"][0]["per_second"].is_null());
  EXPECT_EQ(json["types"][1]["cost_usd"], 0.12);
  EXPECT_EQ(json["broker"]["dead_letters"], 2);
}

}  // namespace
}  // namespace parley::cli::top
