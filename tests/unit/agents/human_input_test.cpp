#include "agents/kinds/human_input.hpp"

#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using Decision = HumanInput::Decision;
using Mode = HumanInputOptions::Mode;
using Step = HumanInput::Step;

HumanInput with(Mode mode, std::uint32_t max_replies = 2) {
  HumanInputOptions options;
  options.mode = mode;
  options.max_consecutive_auto_reply = max_replies;
  options.auto_replies = {{"how many", "Seven."}};
  return HumanInput(options);
}

TEST(HumanInput, always_asks_at_every_turn) {
  HumanInput human = with(Mode::always);
  EXPECT_EQ(human.on_turn("hello").step, Step::ask);
  EXPECT_EQ(human.on_answer("well", "hello"), (Decision{Step::reply, "well"}));
  EXPECT_EQ(human.on_turn("TERMINATE").step, Step::ask);
}

TEST(HumanInput, never_answers_by_itself_and_ends_after_its_limit) {
  HumanInput human = with(Mode::never);
  EXPECT_EQ(human.on_turn("hello"), (Decision{Step::reply, "Please go on."}));
  EXPECT_EQ(human.on_turn("How many days?"), (Decision{Step::reply, "Seven."}));
  EXPECT_EQ(human.on_turn("hello").step, Step::finish);
}

TEST(HumanInput, never_ends_at_an_end_text) {
  HumanInput human = with(Mode::never);
  EXPECT_EQ(human.on_turn("All done. TERMINATE.\n").step, Step::finish);
  EXPECT_EQ(human.on_turn("TERMINATE is the word that ends it").step, Step::reply);
}

TEST(HumanInput, on_terminate_asks_only_when_it_would_end) {
  HumanInput human = with(Mode::on_terminate);
  EXPECT_EQ(human.on_turn("hello").step, Step::reply);
  EXPECT_EQ(human.on_turn("TERMINATE").step, Step::ask);
  EXPECT_EQ(human.on_answer("not yet", "TERMINATE"), (Decision{Step::reply, "not yet"}));
  EXPECT_EQ(human.on_turn("TERMINATE").step, Step::ask);
  EXPECT_EQ(human.on_answer("", "TERMINATE").step, Step::finish) << "nothing to say against the end";
}

TEST(HumanInput, on_terminate_asks_after_its_last_answer_by_itself) {
  HumanInput human = with(Mode::on_terminate);
  (void)human.on_turn("a");
  (void)human.on_turn("b");
  EXPECT_EQ(human.on_turn("c").step, Step::ask);
  EXPECT_EQ(human.on_answer("go on", "c").step, Step::reply);
  EXPECT_EQ(human.on_turn("d").step, Step::reply) << "a person's answer begins the count anew";
}

TEST(HumanInput, the_end_word_ends_the_conversation_in_any_case) {
  HumanInput human = with(Mode::always);
  EXPECT_EQ(human.on_answer(" end \n", "hello"), (Decision{Step::finish, "end"}));
  EXPECT_EQ(human.on_answer("the end", "hello").step, Step::reply);
}

TEST(HumanInput, an_empty_answer_lets_it_answer_by_itself_as_long_as_it_may) {
  HumanInput human = with(Mode::always, 1);
  EXPECT_EQ(human.on_answer("", "how many?"), (Decision{Step::reply, "Seven."}));
  EXPECT_EQ(human.on_answer("", "hello").step, Step::finish);
}

TEST(HumanInput, without_answers_by_itself_it_ends_at_once_when_nobody_may_be_asked) {
  HumanInput human = with(Mode::never, 0);
  EXPECT_EQ(human.on_turn("hello").step, Step::finish);
}

TEST(HumanInput, goes_on_where_a_saved_one_stood) {
  HumanInput human = with(Mode::never);
  (void)human.on_turn("a");
  HumanInput restored = with(Mode::never);
  restored.restore(human.consecutive_auto_replies());
  (void)restored.on_turn("b");
  EXPECT_EQ(restored.on_turn("c").step, Step::finish);
}

}  // namespace
}  // namespace parley::kinds
