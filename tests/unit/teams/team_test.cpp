#include "agents/teams/team.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/teams/graph_walk.hpp"
#include "agents/teams/pair.hpp"
#include "agents/teams/rotation.hpp"
#include "agents/teams/selector.hpp"

namespace parley::teams {
namespace {

using messages::Answer;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

struct TeamTest : testing::Test {
  TeamTest() {
    plan.strategy = "round_robin";
    plan.members = {{{"a", ""}, {}}, {{"b", ""}, {}}};
    plan.make_strategy = [] { return std::make_unique<RoundRobin>(); };
  }
  void begin(const std::string& task = "task") {
    team = std::make_unique<Team>(std::make_shared<const TeamPlan>(plan));
    give(task);
  }
  void give(const std::string& task) { team->begin({.text = task}, now, {}); }

  /// The members of the next action, or how it has ended.
  [[nodiscard]] std::string next() {
    const Team::Action action = team->next(now);
    if (const auto* end = std::get_if<Team::End>(&action)) {
      return end->answer ? "." + end->answer->reason : "!" + end->answer.error().message;
    }
    if (std::holds_alternative<Consult>(action)) return "?";
    if (const auto* judge = std::get_if<Team::Judge>(&action)) return "judge " + judge->agents.front();
    std::string names;
    for (const Turn& turn : std::get<Speak>(action).turns) names += plan.members[turn.member].seat.name;
    return names;
  }
  [[nodiscard]] TeamAnswer answer() {
    const Team::Action action = team->next(now);
    return *std::get<Team::End>(action).answer;
  }
  /// The one who is to speak now says this.
  void say(const std::string& text, std::uint64_t tokens = 10, bool is_final = false) {
    Answer said;
    said.text = text;
    said.usage.input_tokens = tokens;
    said.usage.cost_nano_usd = tokens * 1000;
    said.is_final = is_final;
    hear(said);
  }
  void hear(Result<Answer> result, bool is_skipped = false) {
    const Team::Action action = team->next(now);
    std::vector<TurnResult> results;
    for (const Turn& turn : std::get<Speak>(action).turns) results.push_back({turn.member, result, is_skipped});
    team->heard(std::move(results), now, {});
  }

  TeamPlan plan;
  std::unique_ptr<Team> team;
  TimePoint now{std::chrono::hours(1)};
};

TEST_F(TeamTest, ends_after_its_rounds_whatever_happens) {
  plan.limits.max_rounds = 3;
  begin();
  for (const char* name : {"a", "b", "a"}) {
    EXPECT_EQ(next(), name);
    say(std::string("I am ") + name);
  }
  EXPECT_EQ(next(), ".max_rounds:3");
  EXPECT_EQ(answer().text, "I am a");
}

TEST_F(TeamTest, has_a_limit_of_rounds_by_default) { EXPECT_EQ(TeamLimits().max_rounds, 20U); }

TEST_F(TeamTest, ends_when_a_condition_is_met) {
  plan.termination = Condition{.kind = Condition::Kind::text, .value = "APPROVE", .by = {"b"}};
  begin();
  say("APPROVE?");
  say("APPROVE");
  EXPECT_EQ(next(), ".text:APPROVE");
}

TEST_F(TeamTest, does_not_take_the_task_for_something_that_was_said) {
  plan.termination = Condition{.kind = Condition::Kind::text, .value = "APPROVE"};
  begin("write, and say APPROVE when it is good");
  EXPECT_EQ(next(), "a");
}

TEST_F(TeamTest, ends_when_a_member_says_that_its_answer_is_final) {
  begin();
  say("that is all", 10, true);
  EXPECT_EQ(next(), ".final:a");
}

TEST_F(TeamTest, ends_at_the_limits_of_tokens_money_and_time) {
  plan.limits.max_tokens = 20;
  begin();
  say("x");
  EXPECT_EQ(next(), "b");
  say("y");
  EXPECT_EQ(next(), ".token_budget:20");
  plan.limits = {.max_cost_nano_usd = 10'000};
  begin();
  say("x");
  EXPECT_EQ(next(), ".money:$0.00001");
  plan.limits = {.max_time = seconds(60)};
  begin();
  now += seconds(60);
  EXPECT_EQ(next(), ".time:1m");
}

TEST_F(TeamTest, ends_from_outside_after_the_present_round) {
  begin();
  say("x");
  team->stop("enough");
  EXPECT_EQ(next(), ".external:enough");
}

TEST_F(TeamTest, breaks_a_circle_with_its_reason) {
  begin();
  for (int i = 0; i < 3; ++i) {
    say("after you, I insist that you go first");
    say("no no, after you, please do go first");
  }
  EXPECT_THAT(next(), StartsWith(".repetition:a, b said the same"));
}

TEST_F(TeamTest, lets_circles_be_when_told_to) {
  plan.repetition.reset();
  begin();
  for (int i = 0; i < 10; ++i) say("the same");
  EXPECT_EQ(next(), "a");
}

TEST_F(TeamTest, asks_the_judge_after_each_round_until_he_says_so) {
  plan.termination = Condition{.kind = Condition::Kind::agent, .value = "judge"};
  begin();
  say("x");
  EXPECT_EQ(next(), "judge judge");
  team->judged({}, {}, now);
  EXPECT_EQ(next(), "b");
  say("y");
  messages::Usage usage;
  usage.output_tokens = 7;
  team->judged({{"judge", "DONE"}}, usage, now);
  EXPECT_EQ(next(), ".agent:judge: DONE");
  EXPECT_EQ(answer().usage.output_tokens, 7U) << "judges cost, too";
}

TEST_F(TeamTest, adds_up_what_everybody_has_cost) {
  plan.limits.max_rounds = 2;
  begin();
  say("x", 10);
  say("y", 5);
  EXPECT_EQ(answer().usage.input_tokens, 15U);
  EXPECT_EQ(answer().usage.cost_nano_usd, 15'000U);
}

TEST_F(TeamTest, counts_what_turns_have_cost_that_failed) {
  plan.limits.max_tokens = 100;
  begin();
  messages::Usage spent;
  spent.input_tokens = 60;
  team->heard({{0, fail(ErrorCode::upstream_failed, "broken"), true, spent}}, now, {});
  EXPECT_EQ(next(), "b");
  EXPECT_TRUE(team->has_means_after({}));
  EXPECT_FALSE(team->has_means_after(spent));
  Answer said;
  said.text = "at the second attempt";
  team->heard({{1, said, false, spent}}, now, {});
  EXPECT_EQ(next(), ".token_budget:100");
  EXPECT_EQ(answer().usage.input_tokens, 120U);
}

TEST_F(TeamTest, answers_with_nothing_that_was_said_in_private) {
  plan.members.push_back({{"c", ""}, {}});
  plan.has_private_messages = true;
  plan.make_strategy = [] { return std::make_unique<Broadcast>(BroadcastOptions{}); };
  begin();
  ASSERT_EQ(next(), "abc");
  Answer secret;
  secret.text = "@b: between us";
  Answer open;
  open.text = "for all";
  team->heard({{0, secret}, {1, open}, {2, secret}}, now, {});
  EXPECT_EQ(answer().text, "b: for all");
}

TEST_F(TeamTest, answers_from_a_graph_with_nothing_that_was_said_in_private) {
  plan.members[1].visible_to = {"a"};
  const auto graph = std::make_shared<Graph>();
  graph->nodes = {{.name = "a"}, {.name = "b"}};
  graph->starts = {0, 1};
  plan.make_strategy = [graph] { return std::make_unique<GraphWalk>(graph); };
  begin();
  ASSERT_EQ(next(), "ab");
  Answer open;
  open.text = "for all";
  Answer secret;
  secret.text = "for a only";
  team->heard({{0, open}, {1, secret}}, now, {});
  EXPECT_EQ(answer().text, "for all");
}

TEST_F(TeamTest, aborts_with_the_partial_result) {
  begin();
  say("half of it");
  hear(fail(ErrorCode::timeout, "too late"));
  EXPECT_EQ(next(), ".aborted:b failed: timeout: too late");
  EXPECT_EQ(answer().text, "half of it");
}

TEST_F(TeamTest, fails_when_there_is_no_partial_result) {
  begin();
  hear(fail(ErrorCode::timeout, "too late"));
  EXPECT_EQ(next(), "!a: too late");
}

TEST_F(TeamTest, goes_on_without_a_skipped_member) {
  begin();
  hear(fail(ErrorCode::timeout, "too late"), true);
  EXPECT_EQ(next(), "b");
}

TEST_F(TeamTest, hides_what_a_member_says_to_one_other_only) {
  plan.members.push_back({{"c", ""}, {}});
  plan.has_private_messages = true;
  begin();
  say("@b: between us");
  EXPECT_EQ(team->thread().seen_by("b", {}).size(), 2U);
  EXPECT_EQ(team->thread().seen_by("b", {}).at(1).text, "between us");
  EXPECT_EQ(team->thread().seen_by("c", {}).size(), 1U);
}

TEST_F(TeamTest, hides_all_that_a_member_says_when_its_rule_says_so) {
  plan.members.push_back({{"c", ""}, {}});
  plan.members[0].visible_to = {"c"};
  begin();
  say("for c only");
  EXPECT_EQ(team->thread().seen_by("b", {}).size(), 1U);
  EXPECT_EQ(team->thread().seen_by("c", {}).size(), 2U);
}

TEST_F(TeamTest, takes_an_at_sign_as_text_unless_private_messages_are_on) {
  begin();
  say("@b: hello");
  EXPECT_EQ(team->thread().seen_by("b", {}).at(1).text, "@b: hello");
}

TEST_F(TeamTest, answers_with_the_last_words_of_the_chosen_member) {
  plan.limits.max_rounds = 2;
  plan.answer_by = "a";
  begin();
  say("the text");
  say("the comment");
  EXPECT_EQ(answer().text, "the text");
}

TEST_F(TeamTest, continues_the_thread_with_the_next_task_and_starts_the_limits_anew) {
  plan.limits.max_rounds = 1;
  begin("first");
  say("x");
  ASSERT_EQ(next(), ".max_rounds:1");
  give("second");
  EXPECT_EQ(next(), "b");
  EXPECT_EQ(team->thread().seen_by("b", {}).size(), 3U);
  EXPECT_EQ(team->usage().input_tokens, 0U);
  EXPECT_EQ(team->generation(), 1U);
}

TEST_F(TeamTest, starts_a_new_thread_when_it_keeps_none) {
  plan.keeps_thread = false;
  begin("first");
  say("x");
  give("second");
  EXPECT_EQ(team->thread().messages().size(), 1U);
  EXPECT_EQ(team->generation(), 2U) << "its members must not remember the first one";
}

TEST_F(TeamTest, takes_the_thread_of_the_team_that_it_is_a_member_of) {
  begin("first");
  say("x");
  TeamTask inner{.text = "your part"};
  inner.thread = std::vector<messages::ThreadMessage>{{"outer", "said before", {"somebody"}, 0}};
  team->begin(inner, now, {});
  const auto seen = team->thread().seen_by("a", {});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].text, "said before");
  EXPECT_EQ(seen[1].text, "your part");
}

TEST_F(TeamTest, shows_the_opening_of_a_chat_once) {
  plan.make_strategy = [] { return std::make_unique<TwoAgentChat>(TwoAgentOptions{.initiate = "About {{task}}"}); };
  begin("birds");
  const auto opening = team->take_opening();
  ASSERT_TRUE(opening);
  EXPECT_EQ(opening->from, "a");
  EXPECT_EQ(opening->text, "About birds");
  EXPECT_FALSE(team->take_opening());
  EXPECT_EQ(next(), "b");
}

TEST_F(TeamTest, counts_what_the_selector_costs_and_passes_its_answer_on) {
  plan.members.push_back({{"c", ""}, {}});
  plan.make_strategy = [] { return std::make_unique<Selector>(SelectorOptions{}); };
  begin();
  ASSERT_EQ(next(), "?");
  messages::Usage usage;
  usage.output_tokens = 3;
  team->advised(Result<std::string>("c"), usage);
  EXPECT_EQ(next(), "c");
  EXPECT_EQ(team->usage().output_tokens, 3U);
}

TEST_F(TeamTest, gives_up_for_a_reason_outside_of_it) {
  begin();
  messages::Usage spent;
  spent.output_tokens = 7;
  team->give_up(Error(ErrorCode::budget_exceeded, "no money"), spent);
  EXPECT_EQ(next(), "!no money");
  EXPECT_EQ(team->usage().output_tokens, 7U);
}

TEST_F(TeamTest, passes_on_what_a_members_error_tells_programs) {
  begin();
  ASSERT_EQ(next(), "a");
  Error refusal(ErrorCode::budget_exceeded, "no room");
  refusal.details = {{"budget", "desk"}};
  team->heard({{0, fail(refusal), false}}, now, {});
  const Team::Action action = team->next(now);
  const auto* end = std::get_if<Team::End>(&action);
  ASSERT_NE(end, nullptr);
  ASSERT_FALSE(end->answer);
  EXPECT_EQ(end->answer.error().message, "a: no room");
  EXPECT_EQ(end->answer.error().details, refusal.details);
}

struct TeamRestart : TeamTest {
  void restart() {
    const std::string state = team->save(now);
    team = std::make_unique<Team>(std::make_shared<const TeamPlan>(plan));
    const Result<> loaded = team->load(state);
    ASSERT_TRUE(loaded) << loaded.error().message;
  }
};

TEST_F(TeamRestart, goes_on_with_the_interrupted_task_when_it_is_given_again) {
  plan.limits.max_rounds = 2;
  begin();
  say("x");
  restart();
  ASSERT_TRUE(team->is_resumable("task"));
  give("task");
  EXPECT_EQ(team->rounds(), 1U);
  EXPECT_EQ(next(), "b");
  say("y");
  EXPECT_EQ(next(), ".max_rounds:2");
  EXPECT_EQ(answer().usage.input_tokens, 20U) << "what was spent before counts";
}

TEST_F(TeamRestart, counts_the_time_before_it) {
  plan.limits.max_time = seconds(60);
  begin();
  say("x");
  now += seconds(40);
  restart();
  now += seconds(1000);  // away
  give("task");
  EXPECT_EQ(next(), "b");
  now += seconds(21);
  EXPECT_EQ(next(), ".time:1m");
}

TEST_F(TeamRestart, starts_anew_with_another_task) {
  begin();
  say("x");
  restart();
  give("another");
  EXPECT_EQ(team->rounds(), 0U);
  EXPECT_EQ(team->thread().task(), "another");
}

TEST_F(TeamRestart, refuses_the_state_of_another_team) {
  begin();
  say("x");
  const std::string state = team->save(now);
  plan.members.push_back({{"c", ""}, {}});
  EXPECT_THAT(Team(std::make_shared<const TeamPlan>(plan)).load(state).error().message, HasSubstr("another team"));
  plan.members.pop_back();
  plan.strategy = "swarm";
  EXPECT_FALSE(Team(std::make_shared<const TeamPlan>(plan)).load(state));
  EXPECT_FALSE(Team(std::make_shared<const TeamPlan>(plan)).load("nonsense"));
}

TEST_F(TeamRestart, has_nothing_to_save_before_the_first_task) {
  team = std::make_unique<Team>(std::make_shared<const TeamPlan>(plan));
  EXPECT_EQ(team->save(now), "");
}

}  // namespace
}  // namespace parley::teams
