#include "tests/unit/supervisor/policy_fixture.hpp"

namespace parley::supervisor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

/// The wait before the next start of "a", which has just failed.
Duration wait_of(const Bench& bench) { return *bench.view("a").next_start - bench.now; }

TEST(Restart, of_a_crashed_process_is_at_once) {
  Bench bench;
  bench.running("a");
  bench.take();
  bench.ends("a");
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
  EXPECT_EQ(bench.view("a").restarts, 1U);
}

TEST(Restart, waits_100_ms_the_second_time_and_then_doubles_with_jitter) {
  PolicyConfig config;
  config.max_crashes = 100;
  Bench bench(config);
  bench.running("a");
  bench.ends("a");
  Duration full = 100ms;
  for (int i = 0; i < 9; ++i) {
    bench.ends("a");
    EXPECT_LE(wait_of(bench), full) << i;
    EXPECT_GE(wait_of(bench), full / 2) << i;
    full *= 2;
    ASSERT_TRUE(bench.advance_to_next_tick());
  }
}

TEST(Restart, never_waits_longer_than_a_minute) {
  PolicyConfig config;
  config.max_crashes = 1000;
  Bench bench(config);
  bench.running("a");
  bench.ends("a");
  for (int i = 0; i < 40; ++i) {
    bench.ends("a");
    EXPECT_LE(wait_of(bench), 60s);
    ASSERT_TRUE(bench.advance_to_next_tick());
  }
  bench.ends("a");
  EXPECT_GE(wait_of(bench), 30s);
}

TEST(Restart, is_at_once_again_after_ten_healthy_minutes) {
  Bench bench;
  bench.running("a");
  for (int i = 0; i < 4; ++i) {
    bench.ends("a");
    bench.advance_to_next_tick();
  }
  bench.ready("a");
  bench.advance(10min);
  bench.take();
  bench.ends("a");
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
}

TEST(Restart, still_waits_after_less_than_ten_healthy_minutes) {
  Bench bench;
  bench.running("a");
  bench.ends("a");
  bench.ready("a");
  bench.advance(10min - 1ms);
  bench.take();
  bench.ends("a");
  EXPECT_THAT(bench.deeds(), IsEmpty());
}

TEST(Restart, follows_a_clean_exit_that_nobody_asked_for) {
  Bench bench;
  bench.running("a");
  bench.take();
  bench.ends("a", kCleanExit);
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
}

TEST(Restart, leaves_the_others_alone_one_for_one) {
  Bench bench;
  for (const auto* name : {"a", "b", "c"}) bench.running(name);
  bench.take();
  bench.ends("b");
  EXPECT_THAT(bench.deeds(), ElementsAre("start b"));
}

TEST(Restart, takes_those_behind_along_rest_for_one) {
  PolicyConfig config;
  config.strategy = Strategy::rest_for_one;
  Bench bench(config);
  for (const auto* name : {"a", "b", "c"}) bench.running(name);
  bench.take();
  bench.ends("b");
  EXPECT_THAT(bench.deeds(), ElementsAre("stop c", "start b"));
  bench.ends("c", kCleanExit);
  EXPECT_THAT(bench.deeds(), IsEmpty()) << "c waits for b";
  bench.ready("b");
  EXPECT_THAT(bench.deeds(), ElementsAre("start c"));
  EXPECT_EQ(bench.state("a"), ProcessState::running);
}

TEST(Restart, rest_for_one_does_not_count_against_those_behind) {
  PolicyConfig config;
  config.strategy = Strategy::rest_for_one;
  config.max_crashes = 50;
  config.backoff.first = 1ms;
  Bench bench(config);
  for (const auto* name : {"a", "b"}) bench.running(name);
  for (int i = 0; i < 20; ++i) {
    bench.ends("a");
    bench.ends("b", kCleanExit);
    while (bench.state("a") == ProcessState::waiting) bench.advance_to_next_tick();
    bench.ready("a");
    bench.ready("b");
  }
  bench.take();
  bench.ends("b");
  EXPECT_THAT(bench.deeds(), ElementsAre("start b")) << "its own first failure";
}

TEST(Restart, of_more_than_four_at_once_waits_for_room) {
  Bench bench;
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
  for (const auto& name : names) bench.running(name);
  bench.take();
  for (const auto& name : names) bench.ends(name);
  EXPECT_THAT(bench.deeds(), ElementsAre("start a", "start b", "start c", "start d"));
  EXPECT_FALSE(bench.policy.next_tick() == bench.now) << "no busy loop while there is no room";
  bench.ready("c");
  EXPECT_THAT(bench.deeds(), ElementsAre("start e"));
  bench.ends("a", kBadConfiguration);
  EXPECT_THAT(bench.deeds(), ElementsAre("start f"));
}

TEST(Start, of_workers_waits_for_the_broker_only_the_first_time) {
  Bench bench;
  bench.broker();
  bench.worker("a");
  EXPECT_THAT(bench.deeds(), ElementsAre("start broker"));
  bench.ready("broker");
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
  bench.ready("a");
  bench.ends("broker");
  bench.ends("a");
  EXPECT_THAT(bench.deeds(), ElementsAre("start broker", "start a"));
}

TEST(Start, that_takes_too_long_is_a_failure) {
  Bench bench;
  bench.worker("a");
  bench.advance(30s);
  EXPECT_THAT(bench.deeds(), ElementsAre("start a", "stop a"));
  bench.advance(500ms);
  EXPECT_THAT(bench.deeds(), ElementsAre("kill a"));
  bench.ends("a", kKilledFromOutside);
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
  EXPECT_TRUE(bench.view("a").has_failed);
}

TEST(Start, does_not_time_out_while_the_broker_is_away) {
  Bench bench;
  bench.worker("a");
  bench.policy.on_broker(false, bench.now);
  bench.take();
  bench.advance(5min);
  EXPECT_THAT(bench.deeds(), IsEmpty());
  EXPECT_FALSE(bench.policy.next_tick());
  bench.policy.on_broker(true, bench.now);
  bench.advance(29s);
  EXPECT_THAT(bench.deeds(), IsEmpty()) << "its time begins anew";
  bench.advance(1s);
  EXPECT_THAT(bench.deeds(), ElementsAre("stop a"));
}

TEST(Health, stops_a_sick_process_kills_it_after_the_grace_and_starts_it_again) {
  Bench bench;
  bench.running("a");
  bench.take();
  bench.sick("a");
  EXPECT_THAT(bench.deeds(), ElementsAre("stop a"));
  bench.advance(500ms);
  EXPECT_THAT(bench.deeds(), ElementsAre("kill a"));
  bench.ends("a", kKilledFromOutside);
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
  EXPECT_EQ(bench.view("a").reason, "is sick");
}

TEST(Health, that_is_only_degraded_never_stops_a_process) {
  Bench bench;
  bench.running("a");
  bench.take();
  bench.policy.on_checkup("a", {false, false, "the model fails"}, bench.now);
  EXPECT_THAT(bench.deeds(), IsEmpty());
}

TEST(Health, restarts_nobody_while_the_broker_is_away) {
  Bench bench;
  bench.running("a");
  bench.policy.on_broker(false, bench.now);
  bench.take();
  bench.sick("a");
  EXPECT_THAT(bench.deeds(), IsEmpty());
  bench.policy.on_broker(true, bench.now);
  bench.sick("a");
  EXPECT_THAT(bench.deeds(), ElementsAre("stop a"));
}

TEST(Health, of_a_whole_fleet_gone_bad_stops_only_four_at_once) {
  Bench bench;
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
  for (const auto& name : names) bench.running(name);
  bench.take();
  for (const auto& name : names) bench.sick(name);
  EXPECT_EQ(bench.deeds().size(), 4U);
}

TEST(Events, tell_no_crash_of_a_process_that_was_stopped_for_its_health) {
  Bench bench;
  bench.running("a");
  bench.take();
  bench.sick("a");
  bench.ends("a", kCleanExit);
  bench.ready("a");
  EXPECT_THAT(bench.events(), ElementsAre("agent_unhealthy", "agent_stopped", "agent_started", "agent_restarted"));
}

TEST(Events, tell_that_a_process_was_stopped_since_it_did_not_become_ready) {
  Bench bench;
  bench.worker("a");
  bench.policy.on_started("a", bench.now);
  bench.take();
  bench.advance(PolicyConfig().start_timeout);
  bench.advance(PolicyConfig().sick_grace);
  bench.ends("a", kKilledFromOutside);
  EXPECT_THAT(bench.events(), ElementsAre("agent_unhealthy", "agent_killed", "agent_stopped"));
}

TEST(Events, tell_a_crash_and_the_restart) {
  Bench bench;
  bench.running("a");
  EXPECT_THAT(bench.events(), ElementsAre("agent_started", "agent_ready"));
  bench.ends("a");
  bench.ready("a");
  EXPECT_THAT(bench.events(), ElementsAre("agent_crashed", "agent_started", "agent_restarted"));
}

TEST(Platform, keeps_crashes_and_starts_to_itself) {
  PolicyConfig config;
  config.starter = Starter::platform;
  Bench bench(config);
  bench.running("pod");
  for (int i = 0; i < 20; ++i) {
    bench.ends("pod");
    bench.ready("pod");
  }
  EXPECT_THAT(bench.deeds(), IsEmpty());
  EXPECT_EQ(bench.state("pod"), ProcessState::running);
  bench.sick("pod");
  EXPECT_THAT(bench.deeds(), ElementsAre("stop pod"));
}

}  // namespace
}  // namespace parley::supervisor
