#include "agents/kinds/history.hpp"

#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;

TEST(History, puts_the_system_prompt_first_and_the_question_last) {
  History history({});
  history.add("q1", "a1");
  const std::vector<ChatMessage> expected{
      {Role::system, "Be brief."}, {Role::user, "q1"}, {Role::assistant, "a1"}, {Role::user, "q2"}};
  EXPECT_EQ(history.messages("Be brief.", "q2"), expected);
}

TEST(History, leaves_out_an_empty_system_prompt) {
  EXPECT_EQ(History({}).messages("", "q"), (std::vector<ChatMessage>{{Role::user, "q"}}));
}

TEST(History, forgets_the_oldest_turn_when_there_are_too_many) {
  History history({.max_turns = 2, .max_bytes = 1000});
  for (const char* question : {"1", "2", "3"}) history.add(question, "a");
  EXPECT_EQ(history.turns(), 2U);
  EXPECT_EQ(history.messages("", "q").at(0).content, "2");
}

TEST(History, forgets_old_turns_when_they_take_too_much_room) {
  History history({.max_turns = 100, .max_bytes = 10});
  history.add("12345", "1");
  history.add("12345", "2");
  EXPECT_EQ(history.turns(), 1U);
  EXPECT_LE(history.bytes(), 10U);
}

TEST(History, does_not_keep_a_turn_that_is_larger_than_all_it_may_keep) {
  History history({.max_turns = 100, .max_bytes = 10});
  history.add("short", "one");
  history.add(std::string(11, 'x'), "");
  EXPECT_EQ(history.turns(), 1U);
}

TEST(History, of_no_turns_keeps_nothing) {
  History history({.max_turns = 0, .max_bytes = 1000});
  history.add("q", "a");
  EXPECT_EQ(history.turns(), 0U);
}

TEST(History, that_was_saved_is_loaded) {
  History history({});
  history.add("q1", "a1");
  history.add("q2", "a2");
  History loaded({});
  ASSERT_TRUE(loaded.load(history.save()));
  EXPECT_EQ(loaded.messages("s", "q"), history.messages("s", "q"));
  EXPECT_EQ(loaded.bytes(), history.bytes());
}

TEST(History, that_is_empty_saves_nothing) { EXPECT_EQ(History({}).save(), ""); }

TEST(History, refuses_a_state_that_it_has_not_written) {
  History history({});
  history.add("q", "a");
  for (const char* state : {"", "nonsense", "\x80", "\x81\xa5texts\x91\xa1x"}) {
    EXPECT_EQ(history.load(state).has_value(), std::string_view(state) == "\x80") << state;
  }
}

}  // namespace
}  // namespace parley::kinds
