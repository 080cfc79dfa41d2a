#include "agents/kinds/assistant.hpp"

#include "tests/unit/agents/assistant_fixture.hpp"

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct AssistantTest : AssistantFixture {
  AssistantTest() { set_prompt("Be brief."); }
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
  EXPECT_EQ(asked(1).size(), 4U) << "system, first question and answer, second question";
  EXPECT_EQ(asked(2).size(), 2U) << "nothing of alice's";
}

TEST_F(AssistantTest, passes_the_models_error_on_and_forgets_the_turn) {
  host_assistant();
  model->will_fail(ErrorCode::overloaded, "rate limit");
  model->will_answer("a");
  const Result<Answer> failed = request<Answer>("hr/alice", "q");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::overloaded);
  ASSERT_TRUE(request<Answer>("hr/alice", "q"));
  EXPECT_EQ(asked(1).size(), 2U);
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
  const auto shared_options = std::make_shared<const AssistantOptions>();
  const auto shared_services = std::make_shared<const AssistantServices>(services);
  ASSERT_TRUE(test::run_task(io, second.start()));
  ASSERT_TRUE(test::run_task(io, second.register_type("hr", [&](const AgentId&) {
    return std::make_unique<Assistant>(shared_options, shared_services);
  })));
  ASSERT_TRUE(second.load_state(*saved));
  model->will_answer("a2");
  ASSERT_TRUE(test::run_task(io, second.client().request<Answer>(*AgentId::parse("hr/alice"), Text{"q2", ""})));
  EXPECT_EQ(asked(1).at(0).content, "q1");
}

TEST_F(AssistantTest, fills_in_its_prompt) {
  set_prompt("{{agent}} {{conversation}} {{date}} {{members}} {{style}}");
  options.variables = {{"style", "short"}};
  ManualClock calendar;
  calendar.set(TimePoint(std::chrono::days(20'000)));
  services.clock = &calendar;
  host_assistant();
  model->will_answer("a");
  ASSERT_TRUE(request<Answer>("hr/alice", "q"));
  EXPECT_EQ(asked(0).at(0).content, "hr alice 2024-10-04 (nobody else) short");
}

TEST_F(AssistantTest, says_why_a_models_answer_is_not_whole) {
  host_assistant();
  model->will_answer("cut");
  model->last().finish_reason = llm::FinishReason::length;
  EXPECT_EQ(request<Answer>("hr/alice", "q")->stop_reason, "max_tokens");
  model->will_answer("");
  model->last().finish_reason = llm::FinishReason::content_filter;
  EXPECT_EQ(request<Answer>("hr/alice", "q")->stop_reason, "content_filter");
}

TEST_F(AssistantTest, answers_with_its_fallback_when_a_budget_forbids_the_call_and_forgets_the_turn) {
  options.loop.on_budget_exceeded = "Come back tomorrow.";
  host_assistant();
  model->will_fail(ErrorCode::budget_exceeded, "limit");
  model->will_answer("a");
  const Result<Heard> heard = converse("hr/alice", "q");
  ASSERT_TRUE(heard) << heard.error().message;
  EXPECT_EQ(heard->answer.text, "Come back tomorrow.");
  EXPECT_EQ(heard->answer.stop_reason, "budget_exceeded");
  EXPECT_THAT(heard->parts, ElementsAre("Come back tomorrow."));
  ASSERT_TRUE(request<Answer>("hr/alice", "q"));
  EXPECT_EQ(asked(1).size(), 2U);
}

TEST_F(AssistantTest, does_not_remember_an_empty_answer_which_providers_would_refuse_to_read) {
  host_assistant();
  model->will_answer("");
  model->will_answer("a");
  EXPECT_EQ(request<Answer>("hr/alice", "q")->text, "");
  ASSERT_TRUE(request<Answer>("hr/alice", "q"));
  EXPECT_EQ(asked(1).size(), 2U);
}

TEST_F(AssistantTest, passes_budget_exceeded_on_without_a_fallback) {
  host_assistant();
  model->will_fail(ErrorCode::budget_exceeded, "limit");
  EXPECT_EQ(request<Answer>("hr/alice", "q").error().code, ErrorCode::budget_exceeded);
}

TEST_F(AssistantTest, has_what_is_known_about_the_question_behind_its_instructions) {
  options.knowledge = tools::KnowledgeSource{.base = "kb", .scope = "team"};
  std::string question;
  host_closure("kb", [&question](const Payload& message, Context& context) -> Task<Result<Payload>> {
    EXPECT_EQ(context.self().key(), "team");
    question = from_payload<messages::Recall>(message)->query;
    messages::Facts facts;
    facts.facts.emplace_back().text = "Leave is 28 days.";
    co_return to_payload(facts);
  });
  host_assistant();
  model->will_answer("28 days");
  ASSERT_TRUE(request<Answer>("hr/alice", "how much leave?"));
  EXPECT_EQ(question, "how much leave?");
  EXPECT_THAT(asked(0).at(0).content, testing::StartsWith("Be brief.\n\nWhat is known"));
  EXPECT_THAT(asked(0).at(0).content, HasSubstr("Leave is 28 days."));
}

TEST_F(AssistantTest, answers_without_a_knowledge_base_that_is_away) {
  options.knowledge = tools::KnowledgeSource{.base = "kb"};
  host_assistant();
  model->will_answer("a");
  ASSERT_TRUE(request<Answer>("hr/alice", "q"));
  EXPECT_EQ(asked(0).at(0).content, "Be brief.");
}

// --- Limits of what the model sees -----------------------------------------------------------------------------------

struct AssistantContext : AssistantTest {
  /// Says q0, q1, … to the assistant, whose model answers a0, a1, ….
  void talk(int turns) {
    for (int i = 0; i < turns; ++i) {
      model->will_answer("a" + std::to_string(i));
      const Result<Answer> answer = request<Answer>("hr/alice", "q" + std::to_string(i));
      ASSERT_TRUE(answer) << answer.error().message;
    }
  }
  std::vector<std::string> last_asked() const {
    std::vector<std::string> texts;
    for (const ChatMessage& message : model->requests.back().messages) texts.push_back(message.content);
    return texts;
  }
};

TEST_F(AssistantContext, is_limited_for_each_call) {
  options.loop.context = {.strategy = ContextLimits::Strategy::last_messages, .max_messages = 3};
  host_assistant();
  talk(4);
  EXPECT_THAT(last_asked(), ElementsAre("Be brief.", "q2", "a2", "q3"));
}

struct AssistantSummary : AssistantContext {
  AssistantSummary() {
    options.loop.context = {.strategy = ContextLimits::Strategy::summary, .max_tokens = 30, .keep_messages = 2};
    services.summary_model = summaries;
  }
  std::shared_ptr<test::ScriptedModel> summaries = std::make_shared<test::ScriptedModel>();
};

TEST_F(AssistantSummary, stands_for_older_turns_and_is_paid_for) {
  host_assistant();
  talk(3);
  EXPECT_TRUE(summaries->requests.empty()) << "it still fits";
  summaries->will_answer("They met.");
  model->will_answer("a3");
  const Result<Answer> answer = request<Answer>("hr/alice", "q3");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->usage.input_tokens, 20U);
  EXPECT_THAT(last_asked(),
              ElementsAre("Be brief.\n\nSummary of the earlier conversation:\nThey met.", "q2", "a2", "q3"));
  EXPECT_THAT(summaries->requests.at(0).messages.at(1).content, HasSubstr("user: q0\nassistant: a0\nuser: q1"));
}

TEST_F(AssistantSummary, is_made_of_the_one_before) {
  host_assistant();
  summaries->will_answer("They met.");
  talk(4);
  for (int i = 0; i < 3; ++i) summaries->will_answer("They talked.");
  talk(3);
  EXPECT_THAT(summaries->requests.at(1).messages.at(1).content,
              HasSubstr("Summary of what came before:\nThey met.\n\nConversation:\nuser: q2"));
}

TEST_F(AssistantSummary, that_fails_leaves_older_turns_out_this_time) {
  host_assistant();
  talk(3);
  summaries->will_fail(ErrorCode::upstream_failed, "away");
  talk(1);
  EXPECT_EQ(last_asked().back(), "q0");
  EXPECT_LT(last_asked().size(), 8U);
}

TEST_F(AssistantSummary, that_no_budget_is_left_for_is_done_without) {
  host_assistant();
  talk(3);
  summaries->will_fail(ErrorCode::budget_exceeded, "limit");
  talk(1);
  EXPECT_EQ(last_asked().back(), "q0");
}

TEST_F(AssistantSummary, leaves_the_fallback_of_the_budget_to_the_turn) {
  options.loop.on_budget_exceeded = "Come back tomorrow.";
  host_assistant();
  talk(3);
  summaries->will_fail(ErrorCode::budget_exceeded, "limit");
  model->will_fail(ErrorCode::budget_exceeded, "limit");
  const Result<Answer> answer = request<Answer>("hr/alice", "q3");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->text, "Come back tomorrow.");
  EXPECT_EQ(answer->stop_reason, "budget_exceeded");
}

TEST_F(AssistantSummary, of_a_thread_is_made_once_for_the_same_beginning) {
  host_assistant();
  TurnRequest turn;
  turn.name = "hr";
  for (int i = 0; i < 10; ++i) turn.thread.push_back({"user", "m" + std::to_string(i), {}, 0});
  summaries->will_answer("They met.");
  model->will_answer("a");
  ASSERT_TRUE(hear("hr/c1", turn));
  EXPECT_THAT(last_asked().front(), HasSubstr("They met."));
  EXPECT_THAT(last_asked().back(), "m9");
  turn.thread.push_back({"user", "n", {}, 0});
  model->will_answer("a");
  ASSERT_TRUE(hear("hr/c1", turn));
  EXPECT_EQ(summaries->requests.size(), 1U);
  EXPECT_THAT(last_asked().front(), HasSubstr("They met."));
  turn.thread[0].text = "other";
  summaries->will_answer("They met others.");
  model->will_answer("a");
  ASSERT_TRUE(hear("hr/c1", turn));
  EXPECT_THAT(last_asked().front(), HasSubstr("They met others."));
}

}  // namespace
}  // namespace parley::kinds
