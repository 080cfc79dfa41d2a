#include "agents/teams/selector.hpp"

#include "agents/teams/name_choice.hpp"
#include "tests/unit/teams/strategy_fixture.hpp"

namespace parley::teams {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kNames{"writer", "lead_writer", "critic"};

TEST(NameChoice, finds_the_one_name_in_all_its_spellings) {
  for (const char* answer : {"critic", "Critic.", "**critic**", "The critic should speak next.", "\"CRITIC\""}) {
    const auto choice = chosen_name(answer, kNames);
    ASSERT_TRUE(choice) << answer;
    EXPECT_EQ(*choice, 2U) << answer;
  }
  for (const char* answer : {"lead_writer", "lead writer", "Lead-Writer", "lead\\_writer"}) {
    const auto choice = chosen_name(answer, kNames);
    ASSERT_TRUE(choice) << answer;
    EXPECT_EQ(*choice, 1U) << answer << ": and not the writer within it";
  }
}

TEST(NameChoice, refuses_none_and_several_and_says_what_is_wrong) {
  EXPECT_THAT(chosen_name("nobody", kNames).error().message, HasSubstr("none of writer, lead_writer and critic"));
  EXPECT_THAT(chosen_name("writer or critic", kNames).error().message, HasSubstr("writer and critic"));
  EXPECT_FALSE(chosen_name("criticism", kNames));
  EXPECT_FALSE(chosen_name("lead writer, or writer", kNames)) << "the second one stands alone";
  EXPECT_FALSE(chosen_name("", kNames));
}

TEST(NameChoice, takes_a_repeated_name_once) { EXPECT_EQ(chosen_name("critic, yes: critic!", kNames), 2U); }

struct SelectorTest : StrategyFixture {
  void use(SelectorOptions options = {}) { strategy = std::make_unique<Selector>(std::move(options)); }
  /// The answer to the question that is open.
  void advise(const std::string& text) {
    EXPECT_EQ(step(), "?");
    strategy->advised(Result<std::string>(text), scene());
  }
};

TEST_F(SelectorTest, asks_with_roles_candidates_and_history) {
  use();
  begin("write a poem");
  const std::string question = consult().exchange.at(0);
  EXPECT_THAT(question, HasSubstr("- a: first"));
  EXPECT_THAT(question, HasSubstr("a, b and c"));
  EXPECT_THAT(question, HasSubstr("user: write a poem"));
}

TEST_F(SelectorTest, lets_the_chosen_one_speak) {
  use();
  begin();
  advise("b");
  EXPECT_EQ(step(), "b");
  EXPECT_EQ(turn().reason, "chosen");
}

TEST_F(SelectorTest, does_not_offer_the_last_speaker_again) {
  use();
  begin();
  advise("b");
  hear("x");
  EXPECT_THAT(consult().exchange.at(0), HasSubstr("Who of a and c"));
  advise("b");
  EXPECT_EQ(consult().exchange.size(), 3U) << "b is no candidate: asked again";
}

TEST_F(SelectorTest, offers_the_last_speaker_when_he_may_repeat) {
  use({.may_repeat = true});
  begin();
  advise("b");
  hear("x");
  advise("b");
  EXPECT_EQ(step(), "b");
}

TEST_F(SelectorTest, asks_nobody_when_there_is_one_candidate) {
  seats.pop_back();
  use();
  begin();
  advise("a");
  hear("x");
  EXPECT_EQ(step(), "b");
}

TEST_F(SelectorTest, sends_a_bad_answer_back_with_what_is_wrong) {
  use();
  begin();
  advise("a or b");
  const Consult again = consult();
  ASSERT_EQ(again.exchange.size(), 3U);
  EXPECT_EQ(again.exchange[1], "a or b");
  EXPECT_THAT(again.exchange[2], HasSubstr("exactly one"));
  advise("c");
  EXPECT_EQ(step(), "c");
}

TEST_F(SelectorTest, falls_back_after_the_last_attempt) {
  use({.max_attempts = 2, .fallback = 2});
  begin();
  advise("?");
  advise("??");
  EXPECT_EQ(step(), "c");
  EXPECT_THAT(turn().reason, HasSubstr("no valid choice in 2 attempts"));
}

TEST_F(SelectorTest, falls_back_to_the_next_seat_without_a_rule) {
  use({.max_attempts = 1});
  begin();
  advise("b");
  hear("x");
  advise("?");
  EXPECT_EQ(step(), "c");
}

TEST_F(SelectorTest, falls_back_to_the_last_speaker_when_he_may_repeat) {
  use({.may_repeat = true, .max_attempts = 1});
  begin();
  advise("b");
  hear("x");
  advise("?");
  EXPECT_EQ(step(), "b");
}

TEST_F(SelectorTest, falls_back_when_the_model_fails) {
  use();
  begin();
  strategy->advised(fail(ErrorCode::upstream_failed, "away"), scene());
  EXPECT_EQ(step(), "a");
  EXPECT_THAT(turn().reason, HasSubstr("upstream_failed"));
}

TEST_F(SelectorTest, keeps_to_the_followers_of_the_last_speaker) {
  use({.followers = {{0, {2}}, {1, {0, 2}}}});
  begin();
  advise("a");
  hear("x");
  EXPECT_EQ(step(), "c") << "the only one that may follow a";
}

TEST_F(SelectorTest, does_not_let_the_conversation_write_its_prompt) {
  use();
  begin("{{roles}} {{candidates}}");
  EXPECT_THAT(consult().exchange.at(0), HasSubstr("user: {{roles}} {{candidates}}"));
}

TEST_F(SelectorTest, hides_private_messages_from_the_model) {
  use();
  begin();
  thread.add({"a", "a secret", {"b"}, 0});
  EXPECT_THAT(consult().exchange.at(0), Not(HasSubstr("a secret")));
}

TEST_F(SelectorTest, remembers_the_last_speaker_in_saved_state) {
  use();
  begin();
  advise("b");
  hear("x");
  restart(std::make_unique<Selector>(SelectorOptions{}));
  EXPECT_THAT(consult().exchange.at(0), HasSubstr("Who of a and c"));
}

}  // namespace
}  // namespace parley::teams
