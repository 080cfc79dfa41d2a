#include "agents/people/question_board.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::people {
namespace {

using messages::AnswerQuestion;
using messages::Ask;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::HasSubstr;

Ask question(std::string text, std::vector<std::string> choices = {}) {
  Ask ask;
  ask.question = std::move(text);
  ask.asked_by = "payer/alice";
  ask.kind = choices.empty() ? "input" : "approval";
  ask.choices = std::move(choices);
  ask.timeout_ms = 60'000;
  return ask;
}

struct Board : testing::Test {
  Result<> open(const std::string& id, const Ask& ask) {
    return board.open(id, ask, now, [this] { ++wakes; });
  }
  Result<> answer(const std::string& id, const std::string& text, const std::string& by = "bob") {
    AnswerQuestion given;
    given.id = id;
    given.answer = text;
    given.by = by;
    return board.answer(given, now);
  }
  BoardLimits limits{.max_open = 3, .max_remembered = 2};
  QuestionBoard board{limits};
  TimePoint now{std::chrono::hours(1)};
  int wakes = 0;
};

TEST_F(Board, lists_what_waits_longest_first) {
  ASSERT_TRUE(open("b", question("first?")));
  now += milliseconds(500);
  ASSERT_TRUE(open("a", question("second?")));
  const auto listed = board.list({}, now).questions;
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].id, "b");
  EXPECT_EQ(listed[0].waiting_ms, 500U);
  EXPECT_EQ(listed[0].remaining_ms, 59'500U);
}

TEST_F(Board, an_answer_wakes_whoever_waits_and_takes_the_question_off) {
  ASSERT_TRUE(open("a", question("ok?")));
  ASSERT_TRUE(answer("a", "yes"));
  EXPECT_EQ(wakes, 1);
  ASSERT_TRUE(board.answer_of("a"));
  EXPECT_EQ(board.answer_of("a")->answer, "yes");
  EXPECT_EQ(board.answer_of("a")->by, "bob");
  EXPECT_TRUE(board.list({}, now).questions.empty());
}

TEST_F(Board, takes_only_an_answer_that_is_one_of_the_choices) {
  ASSERT_TRUE(open("a", question("pay?", {"approve", "reject"})));
  const Result<> refused = answer("a", "maybe");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("approve, reject"));
  ASSERT_TRUE(answer("a", " Approve\n"));
  EXPECT_EQ(board.answer_of("a")->answer, "approve");
}

TEST_F(Board, tells_a_second_person_who_was_faster) {
  ASSERT_TRUE(open("a", question("ok?")));
  ASSERT_TRUE(answer("a", "yes"));
  const Result<> late = answer("a", "no", "carol");
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, HasSubstr("answered by bob"));
  EXPECT_EQ(board.answer_of("a")->answer, "yes");
}

TEST_F(Board, a_question_asked_again_after_its_answer_was_lost_has_that_answer) {
  ASSERT_TRUE(open("a", question("ok?")));
  ASSERT_TRUE(answer("a", "yes"));
  board.close("a");
  Ask again = question("ok?");
  again.timeout_ms = 1000;
  ASSERT_TRUE(open("a", again));
  EXPECT_EQ(board.answer_of("a")->answer, "yes");
  EXPECT_TRUE(board.list({}, now).questions.empty());
}

TEST_F(Board, another_question_under_a_used_id_is_refused) {
  ASSERT_TRUE(open("a", question("ok?")));
  EXPECT_EQ(open("a", question("pay a million?")).error().code, ErrorCode::invalid);
  ASSERT_TRUE(answer("a", "yes"));
  EXPECT_EQ(open("a", question("pay a million?")).error().code, ErrorCode::invalid);
}

TEST_F(Board, forgets_answers_after_a_while) {
  ASSERT_TRUE(open("a", question("ok?")));
  ASSERT_TRUE(answer("a", "yes"));
  now += minutes(11);
  ASSERT_TRUE(open("a", question("ok?")));
  EXPECT_FALSE(board.answer_of("a"));
}

TEST_F(Board, remembers_so_many_answers_at_most) {
  for (const std::string id : {"a", "b", "c"}) {
    ASSERT_TRUE(open(id, question("ok?")));
    ASSERT_TRUE(answer(id, "yes"));
    now += milliseconds(1);
  }
  ASSERT_TRUE(open("d", question("ok?")));
  EXPECT_FALSE(board.answer_of("a"));
  EXPECT_TRUE(board.answer_of("c"));
}

TEST_F(Board, refuses_more_questions_than_may_wait) {
  for (const std::string id : {"a", "b", "c"}) ASSERT_TRUE(open(id, question("ok?")));
  EXPECT_EQ(open("d", question("ok?")).error().code, ErrorCode::overloaded);
  board.close("a");
  EXPECT_TRUE(open("d", question("ok?")));
}

TEST_F(Board, refuses_questions_that_nobody_could_answer) {
  EXPECT_FALSE(open("a", question("  ")));
  EXPECT_FALSE(open("a", question(std::string(20'000, 'x'))));
  EXPECT_FALSE(open("a", question("pick", {""})));
  Ask odd = question("ok?");
  odd.kind = "order";
  EXPECT_FALSE(open("a", odd));
  Ask endless = question("ok?");
  endless.timeout_ms = 0;
  EXPECT_FALSE(open("a", endless));
  Ask bad_default = question("pay?", {"approve", "reject"});
  bad_default.has_default = true;
  bad_default.default_answer = "perhaps";
  EXPECT_FALSE(open("a", bad_default));
}

TEST_F(Board, cuts_long_texts_in_the_list_of_all_but_not_in_that_of_one) {
  ASSERT_TRUE(open("a", question(std::string(5000, 'x'))));
  EXPECT_LT(board.list({}, now).questions.at(0).question.size(), 2100U);
  messages::QuestionList one;
  one.id = "a";
  EXPECT_EQ(board.list(one, now).questions.at(0).question.size(), 5000U);
}

TEST_F(Board, says_how_many_wait_and_how_long) {
  EXPECT_EQ(board.gauges(now).waiting, 0U);
  ASSERT_TRUE(open("a", question("ok?")));
  now += milliseconds(700);
  ASSERT_TRUE(open("b", question("ok?")));
  EXPECT_EQ(board.gauges(now).waiting, 2U);
  EXPECT_EQ(board.gauges(now).oldest, milliseconds(700));
}

}  // namespace
}  // namespace parley::people
