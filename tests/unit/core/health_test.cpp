#include "libmsg/core/health.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace parley {
namespace {

using namespace std::chrono_literals;

HealthFacts facts(auto change) {
  HealthFacts made;
  change(made);
  return made;
}

struct Case {
  std::string_view what;
  HealthFacts facts;
  HealthState state;
  HealthCause cause;
  bool should_restart;
};

std::vector<Case> cases() {
  using enum HealthState;
  using Cause = HealthCause;
  constexpr std::uint64_t kMiB = 1U << 20U;
  return {
      {"nothing known against it", {}, healthy, Cause::none, false},
      {"not ready yet", facts([](auto& f) { f.has_been_ready = false; }), starting, Cause::none, false},
      {"not ready for 30 s", facts([](auto& f) { f.has_been_ready = false, f.age = 30s; }), unhealthy,
       Cause::start_timeout, true},
      {"old, and ready", facts([](auto& f) { f.age = 1000h; }), healthy, Cause::none, false},
      {"process gone", facts([](auto& f) { f.is_gone = true; }), unhealthy, Cause::gone, true},
      {"gone before it was ready", facts([](auto& f) { f.is_gone = true, f.has_been_ready = false; }), unhealthy,
       Cause::gone, true},
      {"one heartbeat missed", facts([](auto& f) { f.silence = 1999ms; }), healthy, Cause::none, false},
      {"two heartbeats missed", facts([](auto& f) { f.silence = 2s; }), degraded, Cause::silence, false},
      {"three heartbeats missed", facts([](auto& f) { f.silence = 3s; }), unhealthy, Cause::silence, true},
      {"at work for 5 min", facts([](auto& f) { f.without_progress = 5min; }), healthy, Cause::none, false},
      {"at work for longer", facts([](auto& f) { f.without_progress = 5min + 1ms; }), unhealthy, Cause::no_progress,
       true},
      {"at work for long, as its type may", facts([](auto& f) { f.without_progress = 6min, f.progress_limit = 10min; }),
       healthy, Cause::none, false},
      {"at work for longer than its type may", facts([](auto& f) { f.without_progress = 3s, f.progress_limit = 2s; }),
       unhealthy, Cause::no_progress, true},
      {"loop late by less than 1 s", facts([](auto& f) { f.loop_lag = 999ms; }), healthy, Cause::none, false},
      {"loop late by 1 s", facts([](auto& f) { f.loop_lag = 1s; }), degraded, Cause::loop_lag, false},
      {"loop stuck for 30 s", facts([](auto& f) { f.loop_lag = 30s; }), unhealthy, Cause::loop_lag, true},
      {"4 failures", facts([](auto& f) { f.consecutive_failures = 4; }), healthy, Cause::none, false},
      {"5 failures", facts([](auto& f) { f.consecutive_failures = 5; }), unhealthy, Cause::failures, true},
      {"2 failures of the model", facts([](auto& f) { f.consecutive_model_failures = 2; }), healthy, Cause::none,
       false},
      {"3 failures of the model", facts([](auto& f) { f.consecutive_model_failures = 3; }), degraded,
       Cause::model_failures, false},
      {"1000 failures of the model", facts([](auto& f) { f.consecutive_model_failures = 1000; }), degraded,
       Cause::model_failures, false},
      {"much memory, no limit", facts([](auto& f) { f.rss_bytes = UINT64_MAX; }), healthy, Cause::none, false},
      {"90 % of its memory", facts([](auto& f) { f.rss_bytes = 90 * kMiB, f.memory_limit_bytes = 100 * kMiB; }),
       healthy, Cause::none, false},
      {"all of its memory", facts([](auto& f) { f.rss_bytes = 100 * kMiB, f.memory_limit_bytes = 100 * kMiB; }),
       degraded, Cause::memory, false},
      {"more than its memory", facts([](auto& f) { f.rss_bytes = 101 * kMiB, f.memory_limit_bytes = 100 * kMiB; }),
       unhealthy, Cause::memory, true},
      {"stopped, so gone and silent", facts([](auto& f) { f.is_stopped = f.is_gone = true, f.silence = 1h; }), stopped,
       Cause::stop, false},
      {"quarantined after its failures", facts([](auto& f) { f.is_quarantined = true, f.consecutive_failures = 9; }),
       quarantined, Cause::quarantine, false},
      {"its own failures and the model's",
       facts([](auto& f) { f.consecutive_failures = 5, f.consecutive_model_failures = 5; }), unhealthy, Cause::failures,
       true},
  };
}

TEST(Health, is_what_the_table_says) {
  for (const Case& row : cases()) {
    const HealthVerdict verdict = assess(row.facts, {});
    EXPECT_EQ(verdict.state, row.state) << row.what;
    EXPECT_EQ(verdict.cause, row.cause) << row.what;
    EXPECT_EQ(verdict.should_restart, row.should_restart) << row.what;
    EXPECT_EQ(verdict.reason.empty(), row.state == HealthState::healthy) << row.what;
  }
}

TEST(Health, reason_has_the_number_that_decided) {
  EXPECT_EQ(assess(facts([](auto& f) { f.silence = 3250ms; }), {}).reason, "nothing heard for 3200ms");
  EXPECT_EQ(assess(facts([](auto& f) { f.without_progress = 6min; }), {}).reason,
            "a handler has made no progress for 6m");
  EXPECT_EQ(assess(facts([](auto& f) { f.loop_lag = 95'700ms; }), {}).reason,
            "a handler has kept the loop busy for 95s");
  EXPECT_EQ(assess(facts([](auto& f) { f.consecutive_failures = 7; }), {}).reason, "7 failures in a row");
}

TEST(Health, silence_counts_intervals_of_the_bus_as_it_is_set) {
  HealthLimits slow;
  slow.heartbeat = 10s;
  EXPECT_EQ(assess(facts([](auto& f) { f.silence = 19s; }), slow).state, HealthState::healthy);
  EXPECT_EQ(assess(facts([](auto& f) { f.silence = 30s; }), slow).state, HealthState::unhealthy);
}

TEST(Health, names_read_back_and_are_distinct) {
  std::set<std::string_view> names;
  for (const HealthState state : all_health_states()) {
    EXPECT_EQ(health_state_from_string(to_string(state)), state);
    names.insert(to_string(state));
  }
  EXPECT_EQ(names.size(), 6U);
  EXPECT_EQ(health_state_from_string("fine"), std::nullopt);
  for (const HealthCause cause : all_health_causes()) EXPECT_EQ(health_cause_from_string(to_string(cause)), cause);
  EXPECT_EQ(health_cause_from_string(""), std::nullopt);
}

TEST(Health, worse_of_two_verdicts_keeps_the_first_of_equals) {
  const HealthVerdict degraded{HealthState::degraded, HealthCause::memory, "a", false};
  const HealthVerdict also{HealthState::degraded, HealthCause::loop_lag, "b", false};
  const HealthVerdict unhealthy{HealthState::unhealthy, HealthCause::gone, "c", true};
  EXPECT_EQ(worse_of(degraded, also), degraded);
  EXPECT_EQ(worse_of(degraded, unhealthy), unhealthy);
  EXPECT_EQ(worse_of(unhealthy, degraded), unhealthy);
  EXPECT_EQ(worse_of({}, {HealthState::starting, HealthCause::none, "d", false}).state, HealthState::starting);
}

HealthFacts any_facts() {
  const auto up_to = [](Duration most) { return Duration(*rc::gen::inRange<Duration::rep>(0, most.count())); };
  HealthFacts made;
  made.has_been_ready = *rc::gen::weightedElement<bool>({{4, true}, {1, false}});
  made.is_gone = *rc::gen::weightedElement<bool>({{1, true}, {6, false}});
  made.age = up_to(1min);
  made.silence = up_to(4s);
  made.loop_lag = up_to(40s);
  made.without_progress = up_to(8min);
  made.progress_limit = *rc::gen::element<Duration>(0s, 1min);
  made.consecutive_failures = *rc::gen::inRange(0U, 8U);
  made.consecutive_model_failures = *rc::gen::inRange(0U, 8U);
  made.rss_bytes = *rc::gen::inRange<std::uint64_t>(0, 200);
  made.memory_limit_bytes = *rc::gen::element<std::uint64_t>(0, 100);
  return made;
}

RC_GTEST_PROP(HealthProperty, a_restart_is_for_the_unhealthy_only, ()) {
  const HealthVerdict verdict = assess(any_facts(), {});
  RC_ASSERT(verdict.should_restart == (verdict.state == HealthState::unhealthy));
}

RC_GTEST_PROP(HealthProperty, failures_of_the_model_never_cause_a_restart, ()) {
  HealthFacts with = any_facts();
  HealthFacts without = with;
  without.consecutive_model_failures = 0;
  RC_ASSERT(assess(with, {}).should_restart == assess(without, {}).should_restart);
}

RC_GTEST_PROP(HealthProperty, worse_facts_never_make_a_better_state, ()) {
  const HealthFacts base = any_facts();
  HealthFacts worse = base;
  worse.silence += Duration(*rc::gen::inRange<Duration::rep>(0, Duration(3s).count()));
  worse.loop_lag += Duration(*rc::gen::inRange<Duration::rep>(0, Duration(30s).count()));
  worse.without_progress += Duration(*rc::gen::inRange<Duration::rep>(0, Duration(5min).count()));
  worse.consecutive_failures += *rc::gen::inRange(0U, 8U);
  const HealthVerdict before = assess(base, {});
  const HealthVerdict after = assess(worse, {});
  RC_ASSERT(worse_of(before, after).state == after.state);
}

RC_GTEST_PROP(HealthProperty, somebodys_will_goes_before_all_facts, ()) {
  HealthFacts of = any_facts();
  of.is_stopped = true;
  RC_ASSERT(assess(of, {}).state == HealthState::stopped);
  of.is_quarantined = true;
  RC_ASSERT(assess(of, {}).state == HealthState::quarantined);
}

}  // namespace
}  // namespace parley
