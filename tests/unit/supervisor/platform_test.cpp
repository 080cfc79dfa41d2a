// The policy where something else starts the processes: it only stops what is sick.
#include "tests/unit/supervisor/policy_fixture.hpp"

namespace parley::supervisor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

PolicyConfig on_platform() {
  PolicyConfig config;
  config.starter = Starter::platform;
  return config;
}

/// Its pod is deleted, and the next one comes up.
void replace(Bench& bench, const std::string& name) {
  bench.ends(name, kCleanExit);
  bench.ready(name);
}

TEST(Platform, starts_nothing_and_stops_what_is_sick) {
  Bench bench(on_platform());
  bench.running("hr.0");
  bench.advance(1h);
  EXPECT_THAT(bench.deeds(), IsEmpty());
  bench.sick("hr.0");
  EXPECT_THAT(bench.deeds(), ElementsAre("stop hr.0"));
  replace(bench, "hr.0");
  EXPECT_EQ(bench.state("hr.0"), ProcessState::running);
  EXPECT_EQ(bench.view("hr.0").restarts, 1U);
}

TEST(Platform, leaves_crashes_alone_however_many_there_are) {
  Bench bench(on_platform());
  bench.running("hr.0");
  for (int i = 0; i < 20; ++i) {
    bench.ends("hr.0", kSegfault);
    bench.ready("hr.0");
  }
  EXPECT_EQ(bench.state("hr.0"), ProcessState::running);
  EXPECT_EQ(bench.view("hr.0").restarts, 20U);
  EXPECT_THAT(bench.deeds(), IsEmpty());
}

TEST(Platform, tells_a_crash_from_a_pod_that_was_taken_away) {
  Bench bench(on_platform());
  bench.running("hr.0");
  bench.take();
  bench.ends("hr.0", kCleanExit);
  EXPECT_THAT(bench.events(), ElementsAre("agent_stopped"));
  bench.ready("hr.0");
  bench.take();
  bench.ends("hr.0", kSegfault);
  EXPECT_THAT(bench.events(), ElementsAre("agent_crashed"));
}

TEST(Platform, stops_stopping_what_is_sick_too_often_and_says_so) {
  Bench bench(on_platform());
  bench.running("hr.0");
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(bench.state("hr.0"), ProcessState::running) << i;
    bench.sick("hr.0");
    replace(bench, "hr.0");
  }
  EXPECT_EQ(bench.state("hr.0"), ProcessState::quarantined);
  EXPECT_THAT(bench.events(), Contains("quarantined"));
  bench.sick("hr.0");
  EXPECT_THAT(bench.deeds(), IsEmpty());
}

TEST(Platform, tries_again_after_a_quarantine_and_gives_up_sooner) {
  Bench bench(on_platform());
  bench.running("hr.0");
  for (int i = 0; i < 6; ++i) {
    bench.sick("hr.0");
    replace(bench, "hr.0");
  }
  bench.advance(15min);
  EXPECT_EQ(bench.state("hr.0"), ProcessState::waiting);
  bench.ready("hr.0");
  bench.take();
  bench.sick("hr.0");
  EXPECT_THAT(bench.deeds(), ElementsAre("stop hr.0"));
  replace(bench, "hr.0");
  EXPECT_EQ(bench.state("hr.0"), ProcessState::quarantined);
}

TEST(Platform, does_not_stop_many_pods_before_their_replacements_are_up) {
  Bench bench(on_platform());
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
  for (const std::string& name : names) bench.running(name);
  bench.take();
  for (const std::string& name : names) {
    bench.sick(name);
    if (bench.state(name) == ProcessState::stopping) bench.ends(name, kCleanExit);
  }
  EXPECT_EQ(bench.deeds().size(), 4U) << "the default of max_simultaneous";
  bench.ready("a");
  bench.sick("e");
  EXPECT_THAT(bench.deeds(), ElementsAre("stop e"));
}

TEST(Platform, repeats_a_stop_that_had_no_effect) {
  Bench bench(on_platform());
  bench.running("hr.0");
  bench.sick("hr.0");
  bench.take();
  bench.advance(PolicyConfig().sick_grace);
  EXPECT_THAT(bench.deeds(), ElementsAre("kill hr.0"));
  bench.advance(5s);
  EXPECT_THAT(bench.deeds(), ElementsAre("kill hr.0"));
}

TEST(Platform, has_the_patience_with_a_start_that_the_kubelet_has) {
  Bench bench(on_platform());
  bench.worker("hr.0");
  bench.policy.on_started("hr.0", bench.now);
  bench.policy.on_broker(false, bench.now);
  bench.policy.on_broker(true, bench.now);
  bench.advance(1h);
  EXPECT_THAT(bench.deeds(), IsEmpty());
  EXPECT_THAT(bench.events(), Not(Contains("agent_unhealthy")));
}

TEST(Platform, restarts_a_pod_when_an_operator_asks_for_it) {
  Bench bench(on_platform());
  bench.running("hr.0");
  bench.take();
  EXPECT_TRUE(bench.policy.restart("hr.0", bench.now).has_value());
  EXPECT_THAT(bench.deeds(), ElementsAre("stop hr.0"));
  replace(bench, "hr.0");
  EXPECT_EQ(bench.state("hr.0"), ProcessState::running);
  EXPECT_FALSE(bench.policy.drain("hr.0", bench.now).has_value());
}

}  // namespace
}  // namespace parley::supervisor
