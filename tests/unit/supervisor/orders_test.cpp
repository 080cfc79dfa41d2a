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

TEST(StopAll, gives_a_worker_longer_than_its_own_drain_and_is_done_before_anybody_stops_waiting) {
  constexpr Duration kDrainOfAWorker = 20s;
  constexpr Duration kPatienceOfDown = 30s;
  Bench bench;
  bench.running("a");
  bench.take();
  bench.policy.stop_all(bench.now);
  bench.take();
  bench.advance(kDrainOfAWorker + 1s);
  EXPECT_THAT(bench.deeds(), IsEmpty()) << "its turn may still end well";
  bench.advance(kPatienceOfDown - kDrainOfAWorker - 3s);
  EXPECT_THAT(bench.deeds(), ElementsAre("kill a"));
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
  bench.advance(25s);
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

TEST(Memory, of_failures_outlives_the_supervisor) {
  Bench before;
  before.running("hr");
  for (int i = 0; i < 5; ++i) {
    before.ends("hr");
    before.advance_to_next_tick();
  }
  PolicyMemory memory = before.policy.memory(before.now);
  memory.grow_older(10s);
  Bench after;
  after.policy.remember(memory, after.now);
  after.running("hr");
  after.ends("hr");
  EXPECT_EQ(after.state("hr"), ProcessState::quarantined) << "five failures before, one after";
}

TEST(Memory, of_failures_fades_while_nobody_supervises) {
  Bench before;
  before.running("hr");
  for (int i = 0; i < 5; ++i) {
    before.ends("hr");
    before.advance_to_next_tick();
  }
  PolicyMemory memory = before.policy.memory(before.now);
  memory.grow_older(6min);
  Bench after;
  after.policy.remember(memory, after.now);
  after.running("hr");
  after.ends("hr");
  EXPECT_EQ(after.state("hr"), ProcessState::waiting);
}

TEST(Memory, of_suspicions_outlives_the_supervisor) {
  Bench before;
  before.running("hr");
  before.ends("hr", kSegfault, {"hr/alice"});
  Bench after;
  after.policy.remember(before.policy.memory(before.now), after.now);
  after.running("hr");
  after.take();
  after.ends("hr", kSegfault, {"hr/alice"});
  EXPECT_THAT(after.deeds(), testing::Contains("quarantine hr/alice"));
}

TEST(Culprits, are_asked_for_once_for_each_end_that_may_be_their_doing) {
  Bench bench;
  bench.running("hr");
  bench.take();
  bench.policy.on_culprits("hr", {"hr/alice"}, bench.now);
  bench.policy.on_culprits("hr", {"hr/alice"}, bench.now);
  EXPECT_THAT(bench.deeds(), testing::IsEmpty()) << "nobody has asked";
  bench.policy.on_ended("hr", kKilledFromOutside, bench.now);
  const auto asks = [](const Action& action) { return action.kind == Action::Kind::find_culprits; };
  EXPECT_EQ(std::ranges::count_if(bench.take(), asks), 0);
  bench.ready("hr");
  bench.policy.on_ended("hr", kSegfault, bench.now);
  EXPECT_EQ(std::ranges::count_if(bench.take(), asks), 1);
}

}  // namespace
}  // namespace parley::supervisor
