#include "agents/teams/termination.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/teams/conversation_observer.hpp"

namespace parley::teams {
namespace {

using Kind = Condition::Kind;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

Condition text(std::string value, std::vector<std::string> by = {}) {
  return {.kind = Kind::text, .value = std::move(value), .by = std::move(by)};
}
Condition amount(Kind kind, std::uint64_t limit) { return {.kind = kind, .limit = limit}; }
Condition of(Kind kind, std::vector<Condition> children) { return {.kind = kind, .children = std::move(children)}; }

/// What one condition makes of one utterance.
std::string after(const Condition& condition, const Utterance& said) {
  Termination termination(condition);
  const std::vector<Utterance> utterances{said};
  Progress progress;
  progress.said = utterances;
  return termination.look(progress).value_or("");
}

std::string at(const Condition& condition, const Progress& progress) {
  Termination termination(condition);
  return termination.look(progress).value_or("");
}

TEST(EndKind, is_the_name_before_the_colon_or_other) {
  EXPECT_EQ(end_kind("text:APPROVE"), "text");
  EXPECT_EQ(end_kind("aborted:poet failed: timeout: late"), "aborted");
  EXPECT_EQ(end_kind("max_rounds:20"), "max_rounds");
  EXPECT_EQ(end_kind("because I say so"), kOtherEnd);
  EXPECT_EQ(end_kind(""), kOtherEnd);
}

TEST(Termination, never_comes_without_a_condition) {
  Termination termination(std::nullopt);
  EXPECT_EQ(termination.look({}), std::nullopt);
}

TEST(Termination, by_text_needs_a_word_of_its_own) {
  EXPECT_EQ(after(text("APPROVE"), {"critic", "I APPROVE.", "", {}}), "text:APPROVE");
  for (const char* no : {"DISAPPROVE", "APPROVED", "approve", "", "APPROVE_LATER"}) {
    EXPECT_EQ(after(text("APPROVE"), {"critic", no, "", {}}), "") << no;
  }
}

TEST(Termination, by_text_may_ask_who_said_it) {
  EXPECT_EQ(after(text("DONE", {"critic"}), {"writer", "DONE", "", {}}), "");
  EXPECT_EQ(after(text("DONE", {"critic"}), {"critic", "DONE", "", {}}), "text:DONE");
}

TEST(Termination, by_source_tool_and_handoff) {
  const std::vector<std::string> tools{"search", "submit"};
  const Utterance said{"b", "x", "user", tools};
  EXPECT_EQ(after({.kind = Kind::source, .by = {"a", "b"}}, said), "source:b");
  EXPECT_EQ(after({.kind = Kind::source, .by = {"a"}}, said), "");
  EXPECT_EQ(after({.kind = Kind::tool_call, .value = "submit"}, said), "tool_call:submit");
  EXPECT_EQ(after({.kind = Kind::tool_call, .value = "pay"}, said), "");
  EXPECT_EQ(after({.kind = Kind::handoff, .value = "user"}, said), "handoff:user");
  EXPECT_EQ(after({.kind = Kind::handoff, .value = "b"}, said), "");
}

TEST(Termination, by_amounts_comes_when_they_are_reached) {
  Progress progress;
  progress.messages = 5;
  progress.usage.input_tokens = 70;
  progress.usage.output_tokens = 30;
  progress.usage.cost_nano_usd = 50'000'000;
  progress.elapsed = seconds(90);
  EXPECT_EQ(at(amount(Kind::messages, 5), progress), "messages:5");
  EXPECT_EQ(at(amount(Kind::messages, 6), progress), "");
  EXPECT_EQ(at(amount(Kind::tokens, 100), progress), "token_budget:100");
  EXPECT_EQ(at(amount(Kind::tokens, 101), progress), "");
  EXPECT_EQ(at(amount(Kind::input_tokens, 70), progress), "input_tokens:70");
  EXPECT_EQ(at(amount(Kind::output_tokens, 31), progress), "");
  EXPECT_EQ(at(amount(Kind::money, 50'000'000), progress), "money:$0.05");
  EXPECT_EQ(at({.kind = Kind::time, .time = seconds(90)}, progress), "time:90s");
  EXPECT_EQ(at({.kind = Kind::time, .time = seconds(91)}, progress), "");
}

TEST(Termination, from_outside_gives_the_reason) {
  Progress progress;
  EXPECT_EQ(at({.kind = Kind::external}, progress), "");
  progress.stop = "enough";
  EXPECT_EQ(at({.kind = Kind::external}, progress), "external:enough");
}

TEST(Termination, by_an_agent_takes_its_verdict) {
  const Condition condition{.kind = Kind::agent, .value = "judge"};
  Termination termination(condition);
  EXPECT_THAT(termination.judges(), ElementsAre("judge"));
  EXPECT_EQ(termination.look({}), std::nullopt);
  Progress progress;
  progress.verdicts = {{"judge", "DONE, it rhymes"}};
  EXPECT_EQ(termination.look(progress), "agent:judge: DONE, it rhymes");
  EXPECT_THAT(termination.judges(), IsEmpty()) << "it has spoken";
}

TEST(Termination, by_any_takes_the_first_that_is_met) {
  const Condition any = of(Kind::any, {text("A"), text("B")});
  EXPECT_EQ(after(any, {"x", "B", "", {}}), "text:B");
  EXPECT_EQ(after(any, {"x", "A B", "", {}}), "text:A");
  EXPECT_EQ(after(any, {"x", "C", "", {}}), "");
}

TEST(Termination, by_all_remembers_parts_that_were_met_earlier) {
  Termination termination(of(Kind::all, {text("A"), text("B")}));
  const std::vector<Utterance> a{{"x", "A", "", {}}};
  const std::vector<Utterance> b{{"x", "B", "", {}}};
  Progress progress;
  progress.said = a;
  EXPECT_EQ(termination.look(progress), std::nullopt);
  progress.said = b;
  EXPECT_EQ(termination.look(progress), "text:A and text:B");
}

TEST(Termination, looks_behind_a_met_condition_for_an_all_around_it) {
  // any(A, all(B, C)): B is said together with A, and must count later.
  Termination termination(of(Kind::all, {of(Kind::any, {text("A"), text("B")}), text("C")}));
  const std::vector<Utterance> first{{"x", "A", "", {}}};
  const std::vector<Utterance> second{{"x", "C", "", {}}};
  Progress progress;
  progress.said = first;
  EXPECT_EQ(termination.look(progress), std::nullopt);
  progress.said = second;
  EXPECT_EQ(termination.look(progress), "text:A and text:C");
}

TEST(Termination, stays_met_until_reset) {
  Termination termination(text("A"));
  const std::vector<Utterance> a{{"x", "A", "", {}}};
  Progress progress;
  progress.said = a;
  ASSERT_TRUE(termination.look(progress));
  EXPECT_TRUE(termination.look({}));
  termination.reset();
  EXPECT_FALSE(termination.look({}));
}

TEST(Termination, goes_on_from_saved_state_of_the_same_conditions) {
  const Condition all = of(Kind::all, {text("A"), text("B")});
  Termination termination(all);
  const std::vector<Utterance> a{{"x", "A", "", {}}};
  const std::vector<Utterance> b{{"x", "B", "", {}}};
  Progress progress;
  progress.said = a;
  ASSERT_FALSE(termination.look(progress));
  Termination restarted(all);
  ASSERT_TRUE(restarted.load(termination.save()));
  progress.said = b;
  EXPECT_TRUE(restarted.look(progress));
  EXPECT_FALSE(Termination(text("A")).load(termination.save()));
}

TEST(Dollars, are_exact_and_short) {
  EXPECT_EQ(dollars(0), "$0.00");
  EXPECT_EQ(dollars(1'500'000'000), "$1.50");
  EXPECT_EQ(dollars(1'234'000), "$0.001234");
  EXPECT_EQ(dollars(1), "$0.000000001");
}

TEST(Says, finds_phrases_at_the_edges_of_words) {
  EXPECT_TRUE(says("**DONE**", "DONE"));
  EXPECT_TRUE(says("all tests pass!", "tests pass"));
  EXPECT_TRUE(says("UNDONE but DONE", "DONE"));
  EXPECT_FALSE(says("DONEß", "DONE")) << "letters beyond ASCII are letters";
  EXPECT_TRUE(says("exit code: 0", "exit code: 0"));
  EXPECT_FALSE(says("exit code: 01", "exit code: 0"));
  EXPECT_FALSE(says("anything", ""));
}

}  // namespace
}  // namespace parley::teams
