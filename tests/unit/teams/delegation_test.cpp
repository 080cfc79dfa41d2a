#include "agents/teams/delegation.hpp"

#include "tests/unit/teams/strategy_fixture.hpp"

namespace parley::teams {
namespace {

using testing::HasSubstr;

struct DelegationTest : StrategyFixture {
  DelegationTest() { strategy = std::make_unique<Delegation>(DelegationOptions{}); }
  /// The answer to the question that is open.
  void decide(const std::string& text) {
    EXPECT_EQ(step(), "?");
    strategy->advised(Result<std::string>(text), scene());
  }
  [[nodiscard]] std::string problem(const std::string& text) const {
    const auto decision = read_decision(text, scene(), 2);
    return decision ? std::string() : decision.error().message;
  }
};

TEST_F(DelegationTest, tells_the_manager_the_team_and_the_task) {
  begin("build a house");
  const Consult question = consult();
  EXPECT_THAT(question.system, HasSubstr("- a: first"));
  EXPECT_THAT(question.exchange.at(0), HasSubstr("build a house"));
  EXPECT_NE(question.schema, "");
}

TEST_F(DelegationTest, gives_out_work_and_ends_with_the_managers_answer) {
  begin();
  decide(R"({"assignments": [{"to": "b", "task": "dig"}, {"to": "c", "task": "paint"}]})");
  EXPECT_EQ(step(), "b c");
  EXPECT_EQ(turn(1).instruction, "paint");
  hear_all({"dug", "-"});
  EXPECT_THAT(consult().exchange.at(0), HasSubstr("- to b: dig (done)\n- to c: paint (failed)"));
  EXPECT_THAT(consult().exchange.at(0), HasSubstr("b: dug"));
  decide(R"(I think we are ready: {"done": true, "answer": "a house with a {brace}"} Good.)");
  EXPECT_EQ(step(), ".done:manager");
  EXPECT_EQ(strategy->answer(scene()), "a house with a {brace}");
}

TEST_F(DelegationTest, sends_a_bad_decision_back_and_gives_up_in_the_end) {
  begin();
  decide("I do not know");
  EXPECT_THAT(consult().exchange.at(2), HasSubstr("not a JSON object"));
  decide(R"({"assignments": [{"to": "x", "task": "dig"}]})");
  EXPECT_THAT(consult().exchange.at(4), HasSubstr("'x' is no member: 'to' must be one of a, b and c"));
  decide("{}");
  EXPECT_THAT(step(), HasSubstr("!the manager made no valid decision in 3 attempts"));
}

TEST_F(DelegationTest, breaks_when_the_manager_fails) {
  begin();
  strategy->advised(fail(ErrorCode::unauthorized, "no key"), scene());
  EXPECT_EQ(step(), "!no key");
}

TEST_F(DelegationTest, answers_with_the_last_work_when_it_ends_before_the_manager_is_done) {
  begin();
  decide(R"({"assignments": [{"to": "b", "task": "dig"}]})");
  hear("dug");
  EXPECT_EQ(strategy->answer(scene()), "dug");
}

TEST_F(DelegationTest, says_what_is_wrong_with_a_decision) {
  EXPECT_THAT(problem(R"({"done": true})"), HasSubstr("'answer' must hold"));
  EXPECT_THAT(problem(R"({"done": true, "answer": "x", "assignments": [{"to":"a","task":"t"}]})"),
              HasSubstr("not both"));
  EXPECT_THAT(problem(R"({"assignments": []})"), HasSubstr("no 'assignments'"));
  EXPECT_THAT(problem(R"({"assignments": ["a"]})"), HasSubstr("must be an object"));
  EXPECT_THAT(problem(R"({"assignments": [{"to": "a"}]})"), HasSubstr("has no 'task'"));
  EXPECT_THAT(problem(R"({"assignments": [{"to":"a","task":"t"},{"to":"a","task":"u"}]})"),
              HasSubstr("two assignments"));
  EXPECT_THAT(problem(R"({"assignments": [{"to":"a","task":"t"},{"to":"b","task":"t"},{"to":"c","task":"t"}]})"),
              HasSubstr("At most 2"));
  EXPECT_THAT(problem(std::string(100'000, '{')), HasSubstr("not a JSON object")) << "and is fast about it";
}

TEST_F(DelegationTest, remembers_what_was_given_out_in_saved_state) {
  begin();
  decide(R"({"assignments": [{"to": "b", "task": "dig"}]})");
  hear("dug");
  restart(std::make_unique<Delegation>(DelegationOptions{}));
  EXPECT_THAT(consult().exchange.at(0), HasSubstr("to b: dig (done)"));
}

}  // namespace
}  // namespace parley::teams
