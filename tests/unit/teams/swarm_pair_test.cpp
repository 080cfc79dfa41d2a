#include "agents/teams/pair.hpp"
#include "agents/teams/swarm.hpp"
#include "tests/unit/teams/strategy_fixture.hpp"

namespace parley::teams {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct SwarmTest : StrategyFixture {
  void use(SwarmOptions options = {}) { strategy = std::make_unique<Swarm>(std::move(options)); }
};

TEST_F(SwarmTest, goes_to_whom_the_speaker_hands_over) {
  use();
  begin();
  EXPECT_EQ(step(), "a");
  EXPECT_THAT(turn().handoffs, ElementsAre("b", "c", "user"));
  hear(">c");
  EXPECT_EQ(step(), "c");
  EXPECT_EQ(turn().reason, "handed over by a");
}

TEST_F(SwarmTest, ends_with_the_answer_of_who_does_not_hand_over) {
  use();
  begin();
  hear(">b");
  hear("the answer");
  EXPECT_EQ(step(), ".answered:b");
  EXPECT_EQ(strategy->answer(scene()), "the answer");
}

TEST_F(SwarmTest, goes_on_with_the_same_one_when_told_to) {
  use({.goes_on_without_handoff = true});
  begin();
  hear("x");
  EXPECT_EQ(step(), "a");
}

TEST_F(SwarmTest, hands_back_to_the_user_and_goes_on_with_the_last_speaker) {
  use();
  begin();
  hear(">b");
  hear(">user");
  EXPECT_EQ(step(), ".handoff:user");
  begin("more");
  EXPECT_EQ(step(), "b");
}

TEST_F(SwarmTest, offers_only_the_allowed_targets) {
  use({.first = 1, .targets = {{1, {2}}}});
  begin();
  EXPECT_EQ(step(), "b");
  EXPECT_THAT(turn().handoffs, ElementsAre("c", "user"));
}

TEST_F(SwarmTest, ends_when_the_speaker_was_skipped) {
  use();
  begin();
  hear("-");
  EXPECT_EQ(step(), ".skipped:a");
}

TEST_F(SwarmTest, goes_on_from_saved_state) {
  use();
  begin();
  hear(">c");
  restart(std::make_unique<Swarm>(SwarmOptions{}));
  EXPECT_EQ(step(), "c");
}

struct PairTest : StrategyFixture {
  PairTest() { seats.pop_back(); }
};

TEST_F(PairTest, two_agents_answer_in_turn_up_to_their_limit) {
  strategy = std::make_unique<TwoAgentChat>(TwoAgentOptions{.initiate = "", .max_auto_replies = {2, 1}});
  begin();
  for (const char* name : {"a", "b", "a"}) {
    EXPECT_EQ(step(), name);
    hear("x");
  }
  EXPECT_EQ(step(), ".max_auto_replies:b");
}

TEST_F(PairTest, the_initiator_opens_with_a_text_of_its_own) {
  strategy = std::make_unique<TwoAgentChat>(TwoAgentOptions{.initiate = "Let us talk about {{task}}."});
  begin("birds");
  const auto opening = strategy->opening("birds");
  ASSERT_TRUE(opening);
  EXPECT_EQ(opening->text, "Let us talk about birds.");
  EXPECT_EQ(opening->member, 0U);
  EXPECT_EQ(step(), "b");
}

TEST_F(PairTest, a_text_goes_back_until_it_is_accepted) {
  strategy = std::make_unique<Reflection>(ReflectionOptions{});
  begin();
  EXPECT_EQ(step(), "a");
  EXPECT_EQ(turn().instruction, "") << "the first version needs none";
  hear("version 1");
  EXPECT_EQ(step(), "b");
  EXPECT_THAT(turn().instruction, HasSubstr("APPROVE"));
  hear("no rhyme");
  EXPECT_THAT(turn().instruction, HasSubstr("new version"));
  hear("version 2");
  hear("I APPROVE");
  EXPECT_EQ(step(), ".accepted:b");
  EXPECT_EQ(strategy->answer(scene()), "version 2") << "the text, not the review";
}

TEST_F(PairTest, revisions_are_limited) {
  strategy = std::make_unique<Reflection>(ReflectionOptions{.max_revisions = 1});
  begin();
  for (const char* text : {"v1", "no", "v2", "still no"}) hear(text);
  EXPECT_EQ(step(), ".max_revisions:1");
  EXPECT_EQ(strategy->answer(scene()), "v2");
}

TEST_F(PairTest, goes_on_from_saved_state) {
  strategy = std::make_unique<Reflection>(ReflectionOptions{});
  begin();
  hear("v1");
  restart(std::make_unique<Reflection>(ReflectionOptions{}));
  EXPECT_EQ(step(), "b");
  strategy = std::make_unique<TwoAgentChat>(TwoAgentOptions{});
  begin();
  hear("x");
  restart(std::make_unique<TwoAgentChat>(TwoAgentOptions{}));
  EXPECT_EQ(step(), "b");
}

}  // namespace
}  // namespace parley::teams
