#include "tests/unit/supervisor/policy_fixture.hpp"

namespace parley::supervisor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Quarantine, comes_with_the_sixth_failure_in_five_minutes) {
  Bench bench;
  bench.worker("a");
  EXPECT_EQ(bench.crash_until_quarantined("a"), 6);
  EXPECT_THAT(bench.events(), Contains("quarantined"));
}

TEST(Quarantine, does_not_come_when_failures_are_further_apart) {
  Bench bench;
  bench.running("a");
  for (int i = 0; i < 50; ++i) {
    bench.ends("a");
    while (bench.state("a") == ProcessState::waiting) bench.advance_to_next_tick();
    ASSERT_EQ(bench.state("a"), ProcessState::starting) << i;
    bench.ready("a");
    bench.advance(61s);
  }
}

TEST(Quarantine, of_one_leaves_the_rest_running) {
  Bench bench;
  bench.running("b");
  bench.worker("a");
  bench.take();
  bench.crash_until_quarantined("a");
  EXPECT_EQ(bench.state("b"), ProcessState::running);
}

TEST(Quarantine, ends_in_one_trial_after_fifteen_minutes) {
  Bench bench;
  bench.worker("a");
  bench.crash_until_quarantined("a");
  bench.take();
  bench.advance(15min - 1ms);
  EXPECT_THAT(bench.deeds(), IsEmpty());
  bench.advance(1ms);
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
}

TEST(Quarantine, begins_again_when_the_trial_fails_once) {
  Bench bench;
  bench.worker("a");
  bench.crash_until_quarantined("a");
  bench.advance(15min);
  bench.ready("a");
  bench.advance(1min);
  bench.ends("a");
  EXPECT_EQ(bench.state("a"), ProcessState::quarantined);
}

TEST(Quarantine, is_over_when_the_trial_is_healthy_for_ten_minutes) {
  Bench bench;
  bench.worker("a");
  bench.crash_until_quarantined("a");
  bench.advance(15min);
  bench.ready("a");
  bench.advance(10min);
  bench.ends("a");
  EXPECT_EQ(bench.state("a"), ProcessState::starting);
}

TEST(Quarantine, takes_a_process_whose_configuration_is_wrong_at_once) {
  Bench bench;
  bench.worker("a");
  bench.ends("a", kBadConfiguration);
  EXPECT_EQ(bench.state("a"), ProcessState::quarantined);
  bench.worker("b");
  bench.ends("b", {ProcessEnd::Kind::failed, 0, "cannot run /nowhere"});
  EXPECT_EQ(bench.state("b"), ProcessState::quarantined);
}

TEST(Quarantine, by_an_operator_lasts_until_the_release) {
  Bench bench;
  bench.running("a");
  bench.take();
  ASSERT_TRUE(bench.policy.quarantine("a", bench.now));
  EXPECT_THAT(bench.deeds(), ElementsAre("stop a"));
  bench.ends("a", kCleanExit);
  EXPECT_EQ(bench.state("a"), ProcessState::quarantined);
  EXPECT_FALSE(bench.policy.next_tick()) << "no trial";
  ASSERT_TRUE(bench.policy.release("a", bench.now));
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
}

TEST(Quarantine, released_by_an_operator_forgets_the_failures) {
  Bench bench;
  bench.worker("a");
  bench.crash_until_quarantined("a");
  ASSERT_TRUE(bench.policy.release("a", bench.now));
  EXPECT_EQ(bench.crash_until_quarantined("a"), 6);
}

TEST(Blame, falls_on_the_agent_id_that_was_executing_in_two_crashes) {
  Bench bench;
  bench.running("a");
  bench.take();
  bench.ends("a", kSegfault, {"critic/poison", "critic/x"});
  EXPECT_THAT(bench.deeds(), ElementsAre("start a"));
  bench.ready("a");
  bench.ends("a", kSegfault, {"critic/y", "critic/poison"});
  EXPECT_THAT(bench.deeds(), Contains("quarantine critic/poison"));
  EXPECT_EQ(bench.state("a"), ProcessState::waiting) << "the worker itself is not quarantined";
}

TEST(Blame, follows_the_agent_id_from_worker_to_worker) {
  Bench bench;
  bench.running("a");
  bench.running("b");
  bench.ends("a", kSegfault, {"critic/poison"});
  bench.ends("b", kSegfault, {"critic/poison"});
  EXPECT_THAT(bench.deeds(), Contains("quarantine critic/poison"));
}

TEST(Blame, does_not_fall_on_anybody_when_the_kill_came_from_outside) {
  Bench bench;
  bench.running("a");
  for (int i = 0; i < 4; ++i) {
    bench.ends("a", kKilledFromOutside, {"critic/innocent"});
    if (bench.state("a") == ProcessState::waiting) bench.advance_to_next_tick();
    bench.ready("a");
  }
  EXPECT_THAT(bench.deeds(), testing::Not(Contains("quarantine critic/innocent")));
}

TEST(Blame, falls_on_the_agent_id_whose_handler_hung_twice) {
  Bench bench;
  bench.running("a");
  for (int i = 0; i < 2; ++i) {
    bench.sick("a");
    bench.ends("a", kKilledFromOutside, {"critic/spinner"});
    if (bench.state("a") == ProcessState::waiting) bench.advance_to_next_tick();
    bench.ready("a");
  }
  EXPECT_THAT(bench.deeds(), Contains("quarantine critic/spinner"));
}

TEST(Blame, spares_those_who_were_executing_in_a_process_that_fell_silent) {
  Bench bench;
  bench.running("a");
  for (int i = 0; i < 2; ++i) {
    bench.sick("a", true);
    bench.ends("a", kKilledFromOutside, {"critic/innocent"});
    if (bench.state("a") == ProcessState::waiting) bench.advance_to_next_tick();
    bench.ready("a");
  }
  EXPECT_THAT(bench.deeds(), testing::Not(Contains("quarantine critic/innocent")));
}

TEST(Blame, falls_on_what_the_broker_has_lost_with_a_process_whose_end_nobody_saw) {
  Bench bench;
  bench.running("a");
  bench.take();
  const ProcessEnd untold{ProcessEnd::Kind::unknown};
  bench.policy.on_ended("a", untold, bench.now);
  const auto asks = [](const Action& action) { return action.kind == Action::Kind::find_lost_work; };
  EXPECT_TRUE(std::ranges::any_of(bench.take(), asks)) << "an earlier supervisor had started it";
  bench.policy.on_culprits("a", {"critic/poison"}, bench.now);
  bench.ready("a");
  bench.ends("a", kSegfault, {"critic/poison"});
  EXPECT_THAT(bench.deeds(), Contains("quarantine critic/poison"));
}

TEST(Blame, is_forgotten_after_ten_minutes) {
  Suspects suspects(2, 10min);
  const TimePoint start{1h};
  EXPECT_THAT(suspects.note_crash({"a/1"}, start), IsEmpty());
  EXPECT_THAT(suspects.note_crash({"a/1"}, start + 11min), IsEmpty());
  EXPECT_THAT(suspects.note_crash({"a/1"}, start + 12min), ElementsAre("a/1"));
  EXPECT_EQ(suspects.size(), 0U);
}

}  // namespace
}  // namespace parley::supervisor
