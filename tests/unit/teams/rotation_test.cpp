#include "agents/teams/rotation.hpp"

#include "tests/unit/teams/strategy_fixture.hpp"

namespace parley::teams {
namespace {

struct Rotation : StrategyFixture {
  template <class S, class... Args>
  void use(Args... args) {
    strategy = std::make_unique<S>(args...);
  }
};

TEST_F(Rotation, round_robin_goes_round_and_asks_twice_for_the_same) {
  use<RoundRobin>();
  begin();
  EXPECT_EQ(step(), "a");
  EXPECT_EQ(step(), "a");
  for (const char* name : {"a", "b", "c", "a"}) {
    EXPECT_EQ(step(), name);
    hear("x");
  }
}

TEST_F(Rotation, round_robin_begins_a_new_task_after_the_last_speaker) {
  use<RoundRobin>();
  begin();
  hear("x");
  begin("second");
  EXPECT_EQ(step(), "b");
}

TEST_F(Rotation, a_sequence_asks_each_once_with_its_instruction) {
  use<Sequence>(std::vector<std::string>{"", "be short"});
  begin();
  hear("one");
  EXPECT_EQ(turn().instruction, "be short");
  hear("two");
  EXPECT_EQ(step(), "c");
  hear("three");
  EXPECT_EQ(step(), ".sequence:done");
  EXPECT_EQ(strategy->answer(scene()), "three");
}

TEST_F(Rotation, a_sequence_goes_on_behind_a_stage_that_was_skipped) {
  use<Sequence>();
  begin();
  hear("one");
  hear("-");
  hear("-");
  EXPECT_EQ(step(), ".sequence:done");
  EXPECT_EQ(strategy->answer(scene()), "one");
}

TEST_F(Rotation, a_broadcast_asks_all_at_once_and_puts_the_answers_together) {
  use<Broadcast>(BroadcastOptions{});
  begin();
  EXPECT_EQ(step(), "a b c");
  hear_all({"one", "-", "three"});
  EXPECT_EQ(step(), ".broadcast:done");
  EXPECT_EQ(strategy->answer(scene()), "a: one\n\nc: three");
}

TEST_F(Rotation, a_debate_goes_several_rounds_and_answers_with_the_last) {
  use<Broadcast>(BroadcastOptions{.rounds = 2});
  begin();
  hear_all({"1", "2", "3"});
  EXPECT_EQ(step(), "a b c");
  hear_all({"4", "5", "6"});
  EXPECT_EQ(strategy->answer(scene()), "a: 4\n\nb: 5\n\nc: 6");
}

TEST_F(Rotation, a_vote_takes_what_most_say) {
  use<Broadcast>(BroadcastOptions{.aggregate = Aggregation::How::vote});
  begin();
  hear_all({"Paris.", "Lyon", "paris\nbecause it is the capital"});
  EXPECT_EQ(step(), ".vote:2 of 3");
  EXPECT_EQ(strategy->answer(scene()), "Paris.");
}

TEST_F(Rotation, an_aggregator_speaks_alone_after_the_others) {
  use<Broadcast>(BroadcastOptions{.aggregate = Aggregation::How::agent, .aggregator = 2});
  begin();
  EXPECT_EQ(step(), "a b");
  hear_all({"one", "two"});
  EXPECT_EQ(step(), "c");
  EXPECT_NE(turn().instruction, "");
  hear("both");
  EXPECT_EQ(step(), ".broadcast:done");
  EXPECT_EQ(strategy->answer(scene()), "both");
}

TEST_F(Rotation, without_its_aggregator_the_answers_are_put_one_after_the_other) {
  use<Broadcast>(BroadcastOptions{.aggregate = Aggregation::How::agent, .aggregator = 2});
  begin();
  hear_all({"one", "two"});
  hear("-");
  EXPECT_EQ(strategy->answer(scene()), "a: one\n\nb: two");
}

TEST_F(Rotation, goes_on_from_saved_state) {
  use<RoundRobin>();
  begin();
  hear("x");
  restart(std::make_unique<RoundRobin>());
  EXPECT_EQ(step(), "b");
  use<Broadcast>(BroadcastOptions{.aggregate = Aggregation::How::agent, .aggregator = 2});
  begin();
  hear_all({"one", "two"});
  restart(std::make_unique<Broadcast>(BroadcastOptions{.aggregate = Aggregation::How::agent, .aggregator = 2}));
  EXPECT_EQ(step(), "c");
  EXPECT_FALSE(strategy->load("nonsense"));
}

TEST(Vote, ignores_case_quotes_and_reasons_below) {
  const VoteResult result = vote({{"a", "\"Yes.\""}, {"b", "yes\n\nbecause"}, {"c", "no"}, {"d", " "}});
  EXPECT_EQ(result.votes, 2U);
  EXPECT_EQ(result.voters, 3U) << "an empty one abstains";
  EXPECT_FALSE(result.is_tie);
}

TEST(Vote, gives_a_tie_to_the_first_and_says_so) {
  const VoteResult result = vote({{"a", "no"}, {"b", "yes"}});
  EXPECT_EQ(result.text, "no");
  EXPECT_TRUE(result.is_tie);
  EXPECT_EQ(vote({}).voters, 0U);
}

}  // namespace
}  // namespace parley::teams
