#include "libmsg/wire/vitals.hpp"

#include <gtest/gtest.h>
#include <map>
#include <string>

#include "libmsg/wire/control.hpp"

namespace parley::wire {
namespace {

using namespace std::chrono_literals;

WorkerVitals vitals_of_two_types() {
  WorkerVitals vitals;
  vitals.pid = 4711;
  vitals.types.resize(2);
  vitals.types[0].name = "critic";
  vitals.types[1].name = "poet";
  return vitals;
}

TEST(Vitals, read_back) {
  WorkerVitals sent = vitals_of_two_types();
  sent.loop_lag_ms = 12;
  sent.rss_bytes = 1'000'000;
  sent.executing = {"critic/alice"};
  sent.types[0].latency_p95_us = 1500;
  sent.types[1].cost_nano_usd = 7;
  sent.activations = {{.id = "critic/alice", .failures = 3}};
  const auto got = decode_body<WorkerVitals>(encode_body(sent).bytes());
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, sent);
}

TEST(Vitals, of_a_peer_that_tells_less_take_their_defaults) {
  const std::map<std::string, std::uint64_t> older{{"pid", 7}};
  const auto got = decode_body<WorkerVitals>(encode_body(older).bytes());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->pid, 7U);
  EXPECT_EQ(assess(*got, {}, {}).state, HealthState::healthy);
}

TEST(Vitals, a_report_of_an_older_broker_has_no_health) {
  const std::map<std::string, std::string> older{{"name", "critic@host"}};
  const auto got = decode_body<PsPeer>(encode_body(older).bytes());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->health, "");
  EXPECT_FALSE(got->has_vitals);
}

TEST(Vitals, worker_is_as_bad_as_its_worst_type_and_names_it) {
  WorkerVitals vitals = vitals_of_two_types();
  vitals.types[0].consecutive_model_failures = 3;
  vitals.types[1].consecutive_failures = 5;
  const HealthVerdict verdict = assess(vitals, {}, {});
  EXPECT_EQ(verdict.state, HealthState::unhealthy);
  EXPECT_EQ(verdict.cause, HealthCause::failures);
  EXPECT_EQ(verdict.reason, "poet: 5 failures in a row");
}

TEST(Vitals, type_does_not_suffer_from_another_ones_failures) {
  WorkerVitals vitals = vitals_of_two_types();
  vitals.types[1].consecutive_failures = 5;
  EXPECT_EQ(assess(vitals, vitals.types[0], {}, {}).state, HealthState::healthy);
  EXPECT_EQ(assess(vitals, vitals.types[1], {}, {}).state, HealthState::unhealthy);
}

TEST(Vitals, type_suffers_from_its_process) {
  WorkerVitals vitals = vitals_of_two_types();
  vitals.loop_lag_ms = 30'000;
  EXPECT_EQ(assess(vitals, vitals.types[0], {}, {}).cause, HealthCause::loop_lag);
  vitals = vitals_of_two_types();
  HealthFacts known;
  known.silence = 3s;
  EXPECT_EQ(assess(vitals, vitals.types[0], known, {}).cause, HealthCause::silence);
}

TEST(Vitals, progress_is_judged_by_the_types_own_limit) {
  WorkerVitals vitals = vitals_of_two_types();
  vitals.types[0].oldest_without_progress_ms = 61'000;
  EXPECT_EQ(assess(vitals, {}, {}).state, HealthState::healthy);
  vitals.types[0].progress_limit_ms = 60'000;
  EXPECT_EQ(assess(vitals, {}, {}).cause, HealthCause::no_progress);
}

TEST(Vitals, with_absurd_numbers_do_not_overflow) {
  WorkerVitals vitals = vitals_of_two_types();
  vitals.loop_lag_ms = UINT64_MAX;
  vitals.types[0].oldest_without_progress_ms = UINT64_MAX;
  vitals.types[0].progress_limit_ms = UINT64_MAX;
  vitals.rss_bytes = UINT64_MAX;
  vitals.memory_limit_bytes = UINT64_MAX;
  EXPECT_EQ(assess(vitals, {}, {}).cause, HealthCause::loop_lag);
}

TEST(Vitals, of_a_worker_that_was_quarantined_change_nothing) {
  WorkerVitals vitals = vitals_of_two_types();
  vitals.types[0].consecutive_failures = 5;
  HealthFacts known;
  known.is_quarantined = true;
  EXPECT_EQ(assess(vitals, known, {}).state, HealthState::quarantined);
  EXPECT_EQ(assess(vitals, vitals.types[0], known, {}).state, HealthState::quarantined);
}

}  // namespace
}  // namespace parley::wire
