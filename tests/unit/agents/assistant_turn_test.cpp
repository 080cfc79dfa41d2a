// An assistant as a member of a conversation, and answers of a certain shape.
#include "libmsg/messages/spent_usage.hpp"
#include "tests/unit/agents/assistant_fixture.hpp"

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct AssistantTurn : AssistantFixture {
  AssistantTurn() {
    turn.name = "poet";
    turn.thread = {{"user", "a poem", {}, 0}, {"poet", "Roses.", {}, 0}, {"critic", "More.", {}, 0}};
    turn.members = {{"poet", "writes"}, {"critic", "reviews"}};
  }
  Heard heard() {
    Result<Heard> heard = hear("hr/c1", turn);
    EXPECT_TRUE(heard) << heard.error().message;
    return heard ? std::move(*heard) : Heard();
  }
  TurnRequest turn;
};

TEST_F(AssistantTurn, answers_the_thread_under_the_name_that_it_has_there) {
  host_assistant();
  model->will_answer("Roses and thorns.");
  const Heard said = heard();
  EXPECT_EQ(said.answer.from, "poet");
  EXPECT_EQ(said.answer.text, "Roses and thorns.");
  EXPECT_THAT(said.parts, ElementsAre("Roses an", "d thorns."));
  const std::vector<ChatMessage> expected{
      {Role::user, "a poem"}, {Role::assistant, "Roses."}, {Role::user, "critic: More."}};
  EXPECT_EQ(asked(0), expected);
}

TEST_F(AssistantTurn, tells_the_model_who_and_with_whom_it_is) {
  set_prompt("You are {{agent}}.\n{{members}}");
  host_assistant();
  model->will_answer("a");
  heard();
  EXPECT_EQ(asked(0).at(0).content, "You are poet.\n- critic: reviews");
}

TEST_F(AssistantTurn, keeps_nothing_from_one_turn_to_the_next) {
  host_assistant();
  model->will_answer("a");
  heard();
  model->will_answer("a");
  heard();
  EXPECT_EQ(asked(1), asked(0));
}

TEST_F(AssistantTurn, of_an_empty_thread_is_refused) {
  host_assistant();
  turn.thread.clear();
  const Result<Heard> refused = hear("hr/c1", turn);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_THAT(model->requests, IsEmpty());
}

TEST_F(AssistantTurn, offers_the_handoffs_that_both_sides_allow) {
  options.handoffs.targets = {{"critic"}, {"boss"}};
  turn.handoffs = {"critic", "printer"};
  host_assistant();
  model->will_call({{"c1", "transfer_to_critic", "{}"}}, "Done.");
  EXPECT_EQ(heard().answer.handoff, "critic");
  ASSERT_EQ(model->requests.at(0).tools.size(), 1U);
  EXPECT_THAT(model->requests.at(0).tools[0].description, HasSubstr("critic: reviews"));
}

TEST_F(AssistantTurn, names_itself_in_its_events) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->will_answer("42");
  EXPECT_EQ(heard().events.at(0).from, "poet");
}

// --- Structured answers ----------------------------------------------------------------------------------------------

struct AssistantShape : AssistantTurn {
  AssistantShape() {
    options.structured = *StructuredAnswer::make("answer", nlohmann::ordered_json::parse(R"({
        "type":"object","required":["verdict"],"properties":{"verdict":{"enum":["APPROVE","REVISE"]}}})"));
  }
};

TEST_F(AssistantShape, is_asked_for_and_given_in_one_piece) {
  host_assistant();
  model->will_answer("```json\n{\"verdict\": \"APPROVE\"}\n```");
  const Heard said = heard();
  EXPECT_EQ(said.answer.text, R"({"verdict":"APPROVE"})");
  EXPECT_THAT(said.parts, ElementsAre(R"({"verdict":"APPROVE"})"));
  ASSERT_TRUE(model->requests.at(0).response_schema);
  EXPECT_EQ(model->requests.at(0).response_schema->name, "answer");
}

TEST_F(AssistantShape, that_is_wrong_is_asked_for_again_with_what_is_wrong) {
  host_assistant();
  model->will_answer(R"({"verdict":"MAYBE"})");
  model->will_answer(R"({"verdict":"REVISE"})");
  const Heard said = heard();
  EXPECT_EQ(said.answer.text, R"({"verdict":"REVISE"})");
  EXPECT_EQ(said.answer.usage.input_tokens, 20U);
  const std::vector<ChatMessage>& again = asked(1);
  EXPECT_EQ(again.at(again.size() - 2), (ChatMessage{Role::assistant, R"({"verdict":"MAYBE"})"}));
  EXPECT_THAT(again.back().content, HasSubstr("/verdict"));
}

TEST_F(AssistantShape, that_stays_wrong_is_a_failure_of_the_model) {
  options.loop.max_repairs = 2;
  host_assistant();
  for (int i = 0; i < 3; ++i) model->will_answer("I approve.");
  const Result<Heard> said = hear("hr/c1", turn);
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code, ErrorCode::upstream_failed);
  EXPECT_THAT(said.error().message, HasSubstr("not JSON"));
  EXPECT_EQ(messages::spent_usage(said.error()).input_tokens, 30U) << "three answers were paid for";
  EXPECT_TRUE(model->is_done());
}

TEST_F(AssistantShape, is_remembered_without_the_attempts) {
  host_assistant();
  model->will_answer("I approve.");
  model->will_answer(R"({"verdict":"APPROVE"})");
  ASSERT_TRUE(request<Answer>("hr/alice", "q1"));
  model->will_answer(R"({"verdict":"APPROVE"})");
  ASSERT_TRUE(request<Answer>("hr/alice", "q2"));
  EXPECT_EQ(asked(2).size(), 3U);
}

TEST_F(AssistantShape, comes_after_tools) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}}, "not shown");
  model->will_answer(R"({"verdict":"APPROVE"})");
  EXPECT_THAT(heard().log,
              ElementsAre("tool_call lookup: {}", "tool_result lookup: 42", R"(text: {"verdict":"APPROVE"})"));
}

TEST_F(AssistantShape, names_the_members_of_the_conversation) {
  options.structured = *StructuredAnswer::make(
      "answer", nlohmann::ordered_json::parse(R"({"properties":{"who":{"enum":["{{members}}"]}}})"));
  host_assistant();
  model->will_answer(R"({"who":"poet"})");
  model->will_answer(R"({"who":"critic"})");
  EXPECT_EQ(heard().answer.text, R"({"who":"critic"})");
  EXPECT_THAT(model->requests.at(0).response_schema->schema, HasSubstr(R"("enum":["critic"])"));
}

}  // namespace
}  // namespace parley::kinds
