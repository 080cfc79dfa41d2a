#include "tests/unit/supervisor/policy_fixture.hpp"

namespace parley::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Order, to_restart_drains_and_starts_again_without_counting_a_failure) {
  Bench bench;
  bench.running("a");
  bench.take();
  ASSERT_TRUE(bench.policy.restart("a", bench.now));
  EXPECT_THAT(bench.deeds(), ElementsAre("stop a"));
  bench.advance(24s);
  EXPECT_THAT(bench.deeds(), IsEmpty()) << "it may finish its work";
  bench.ends("a", kCleanExit);
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
  EXPECT_FALSE(bench.view("a").has_failed);
}

TEST(Order, to_restart_what_waits_for_its_backoff_starts_it_now) {
  Bench bench;
  bench.running("a");
  bench.ends("a");
  bench.ends("a");
  bench.take();
  ASSERT_EQ(bench.state("a"), ProcessState::waiting);
  ASSERT_TRUE(bench.policy.restart("a", bench.now));
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
}

TEST(Order, to_drain_leaves_it_stopped_until_the_release) {
  Bench bench;
  bench.running("a");
  ASSERT_TRUE(bench.policy.drain("a", bench.now));
  bench.ends("a", kCleanExit);
  bench.take();
  EXPECT_EQ(bench.state("a"), ProcessState::stopped);
  EXPECT_FALSE(bench.policy.next_tick());
  ASSERT_TRUE(bench.policy.release("a", bench.now));
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
}

TEST(Order, to_an_unknown_process_or_in_the_wrong_state_is_refused) {
  Bench bench;
  bench.running("a");
  EXPECT_EQ(bench.policy.restart("b", bench.now).error().code, ErrorCode::unknown_agent_type);
  EXPECT_EQ(bench.policy.release("a", bench.now).error().code, ErrorCode::refused);
  ASSERT_TRUE(bench.policy.drain("a", bench.now));
  EXPECT_EQ(bench.policy.restart("a", bench.now).error().code, ErrorCode::refused);
}

TEST(StopAll, ends_workers_together_and_the_broker_last) {
  Bench bench;
  bench.broker();
  bench.ready("broker");
  bench.running("a");
  bench.running("b");
  bench.take();
  bench.policy.stop_all(bench.now);
  EXPECT_THAT(bench.deeds(), ElementsAre("stop b", "stop a"));
  bench.ends("a", kCleanExit);
  EXPECT_THAT(bench.deeds(), IsEmpty());
  bench.ends("b", kCleanExit);
  EXPECT_THAT(bench.deeds(), ElementsAre("stop broker"));
  EXPECT_FALSE(bench.policy.is_all_stopped());
  bench.ends("broker", kCleanExit);
  EXPECT_TRUE(bench.policy.is_all_stopped());
}

TEST(StopAll, kills_who_does_not_end_in_time) {
  Bench bench;
  bench.running("a");
  bench.policy.stop_all(bench.now);
  bench.take();
  bench.advance(10s);
  EXPECT_THAT(bench.deeds(), ElementsAre("kill a"));
}

TEST(StopAll, starts_nobody_any_more) {
  Bench bench;
  bench.running("a");
  bench.running("b");
  bench.ends("a");
  bench.ends("a");
  ASSERT_EQ(bench.state("a"), ProcessState::waiting);
  bench.policy.stop_all(bench.now);
  bench.take();
  bench.ends("b", kSegfault);
  bench.advance(1h);
  EXPECT_THAT(bench.deeds(), IsEmpty());
  EXPECT_TRUE(bench.policy.is_all_stopped());
}

TEST(Adopt, keeps_what_runs_and_does_not_start_it_twice) {
  Bench bench;
  ProcessView earlier;
  earlier.name = "a";
  earlier.state = ProcessState::running;
  earlier.has_been_ready = true;
  earlier.restarts = 3;
  bench.policy.adopt(earlier, true, bench.now);
  EXPECT_THAT(bench.deeds(), IsEmpty());
  EXPECT_EQ(bench.state("a"), ProcessState::running);
  EXPECT_EQ(bench.view("a").restarts, 3U);
}

TEST(Adopt, restarts_what_ended_meanwhile) {
  Bench bench;
  ProcessView earlier;
  earlier.name = "a";
  earlier.state = ProcessState::running;
  earlier.has_been_ready = true;
  bench.policy.adopt(earlier, false, bench.now);
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
}

TEST(Adopt, leaves_stopped_and_quarantined_processes_as_they_were) {
  Bench bench;
  ProcessView stopped;
  stopped.name = "a";
  stopped.state = ProcessState::stopped;
  ProcessView quarantined;
  quarantined.name = "b";
  quarantined.state = ProcessState::quarantined;
  quarantined.next_start = bench.now;
  bench.policy.adopt(stopped, false, bench.now);
  bench.policy.adopt(quarantined, false, bench.now);
  EXPECT_THAT(bench.deeds(), IsEmpty());
  bench.advance(15min);
  EXPECT_THAT(bench.deeds(), ElementsAre("start b"));
}

}  // namespace
}  // namespace parley::supervisor
