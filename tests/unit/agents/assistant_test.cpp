#include "agents/kinds/assistant.hpp"

#include "tests/unit/agents/kinds_fixture.hpp"

namespace parley::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct AssistantTest : KindsFixture {
  AssistantTest() { options.system_prompt = "Be brief."; }

  void host_assistant() {
    host("hr", [this](const AgentId&) { return std::make_unique<Assistant>(options, model); });
  }

  AssistantOptions options;
  std::shared_ptr<test::ScriptedModel> model = std::make_shared<test::ScriptedModel>();
};

TEST_F(AssistantTest, answers_with_text_sender_and_usage) {
  host_assistant();
  model->will_answer("28 days");
  const Result<Answer> answer = request<Answer>("hr/alice", "how much leave?");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, (Answer{"28 days", "hr", false, {"scripted", 10, 5, 0, 0, false}}));
}

TEST_F(AssistantTest, streams_the_answer_in_parts_that_add_up_to_it) {
  host_assistant();
  model->will_answer("28 days");
  const Result<Heard> heard = converse("hr/alice", "how much leave?");
  ASSERT_TRUE(heard) << heard.error().message;
  EXPECT_THAT(heard->parts, ElementsAre("28 ", "days"));
  EXPECT_EQ(heard->answer.text, "28 days");
}

TEST_F(AssistantTest, remembers_the_conversation_of_each_key_apart) {
  host_assistant();
  for (const char* text : {"a1", "a2", "b1"}) model->will_answer(text);
  ASSERT_TRUE(request<Answer>("hr/alice", "q1"));
  ASSERT_TRUE(request<Answer>("hr/alice", "q2"));
  ASSERT_TRUE(request<Answer>("hr/bob", "q3"));
  EXPECT_EQ(model->requests.at(1).messages.size(), 4U) << "system, first question and answer, second question";
  EXPECT_EQ(model->requests.at(2).messages.size(), 2U) << "nothing of alice's";
}

TEST_F(AssistantTest, passes_the_models_error_on_and_forgets_the_turn) {
  host_assistant();
  model->will_fail(ErrorCode::overloaded, "rate limit");
  model->will_answer("a");
  const Result<Answer> failed = request<Answer>("hr/alice", "q");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::overloaded);
  ASSERT_TRUE(request<Answer>("hr/alice", "q"));
  EXPECT_EQ(model->requests.at(1).messages.size(), 2U);
}

TEST_F(AssistantTest, does_not_spend_tokens_on_an_answer_that_nobody_gets) {
  host_assistant();
  ASSERT_TRUE(test::run_task(io, runtime.client().send(*AgentId::parse("hr/alice"), Text{"q", ""})));
  drain();
  EXPECT_TRUE(model->requests.empty());
}

TEST_F(AssistantTest, answers_events_on_its_topic) {
  options.answer_topic = "answers";
  host_assistant();
  model->will_answer("a");
  std::vector<Answer> heard;
  host_closure("listener",
               [&heard](const Payload& message, Context& context) -> Task<Result<Payload>> {
                 EXPECT_EQ(context.topic()->str(), "answers/alice");
                 heard.push_back(*from_payload<Answer>(message));
                 co_return Payload{};
               },
               {TopicFilter{"answers", false}});
  ASSERT_TRUE(test::run_task(io, runtime.client().send(*AgentId::parse("hr/alice"), Text{"q", ""})));
  drain();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].text, "a");
}

TEST_F(AssistantTest, keeps_its_memory_in_saved_state) {
  host_assistant();
  model->will_answer("a1");
  ASSERT_TRUE(request<Answer>("hr/alice", "q1"));
  const auto saved = runtime.save_state();
  ASSERT_TRUE(saved);

  LocalRuntime second(io, clock);
  ASSERT_TRUE(test::run_task(io, second.start()));
  ASSERT_TRUE(test::run_task(io, second.register_type("hr", [this](const AgentId&) {
    return std::make_unique<Assistant>(AssistantOptions{}, model);
  })));
  ASSERT_TRUE(second.load_state(*saved));
  model->will_answer("a2");
  ASSERT_TRUE(test::run_task(io, second.client().request<Answer>(*AgentId::parse("hr/alice"), Text{"q2", ""})));
  EXPECT_EQ(model->requests.at(1).messages.at(0).content, "q1");
}

}  // namespace
}  // namespace parley::kinds
