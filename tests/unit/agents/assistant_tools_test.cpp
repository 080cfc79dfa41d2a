// The tool loop of an assistant: what the model gets, what watchers see, when it ends.
#include <algorithm>
#include <optional>
#include <set>

#include "agents/kinds/tool_round.hpp"
#include "tests/unit/agents/assistant_fixture.hpp"

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;
using llm::ToolChoice;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct AssistantTools : AssistantFixture {
  Heard heard(const std::string& text = "q") {
    Result<Heard> heard = converse("hr/alice", text);
    EXPECT_TRUE(heard) << heard.error().message;
    return heard ? std::move(*heard) : Heard();
  }
};

TEST_F(AssistantTools, uses_a_tool_and_answers_with_what_it_learned) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", R"({"id":7})"}}, "Let me see.");
  model->will_answer("It is 42.");
  const Heard turn = heard();
  EXPECT_EQ(turn.answer.text, "It is 42.");
  EXPECT_THAT(turn.answer.tools_used, ElementsAre("lookup"));
  const std::vector<ChatMessage> expected{{Role::user, "q"},
                                          {Role::assistant, "Let me see.", {{"c1", "lookup", R"({"id":7})"}}},
                                          {Role::tool, "42", {}, "c1"}};
  EXPECT_EQ(asked(1), expected);
}

TEST_F(AssistantTools, tells_of_calls_and_results_in_order_and_its_words_around_them) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}}, "Hm.");
  model->will_answer("42");
  const Heard turn = heard();
  EXPECT_THAT(turn.log, ElementsAre("text: H", "text: m.", "tool_call lookup: {}", "tool_result lookup: 42", "text: 4",
                                    "text: 2"));
  EXPECT_EQ(turn.events.at(0).from, "hr");
  EXPECT_EQ(turn.events.at(0).usage.input_tokens, 10U) << "of the turn so far";
}

TEST_F(AssistantTools, adds_up_what_all_its_calls_have_cost) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->last().usage.cost_nano_usd = 300;
  model->will_answer("42");
  model->last().usage.cost_nano_usd = 500;
  const Usage usage = heard().answer.usage;
  EXPECT_EQ(usage.input_tokens, 20U);
  EXPECT_EQ(usage.output_tokens, 10U);
  EXPECT_EQ(usage.cost_nano_usd, 800U);
  EXPECT_EQ(usage.model, "scripted");
}

TEST_F(AssistantTools, offers_the_tools_with_every_call) {
  add_tool("lookup", "42");
  add_tool("search", "x");
  options.loop.is_parallel_allowed = false;
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->will_answer("42");
  heard();
  for (const llm::ChatRequest& request : model->requests) {
    ASSERT_EQ(request.tools.size(), 2U);
    EXPECT_EQ(request.tools[0].name, "lookup");
    EXPECT_FALSE(request.is_parallel_tool_calls_allowed);
  }
}

TEST_F(AssistantTools, gives_back_what_the_provider_wants_within_a_turn) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->last().provider_state = "signed";
  model->will_answer("42");
  heard();
  EXPECT_EQ(asked(1).at(1).provider_state, "signed");
}

TEST_F(AssistantTools, forces_its_choice_of_a_tool_only_the_first_time) {
  add_tool("lookup", "42");
  options.loop.tool_choice = {ToolChoice::Mode::named, "lookup"};
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->will_answer("42");
  heard();
  EXPECT_EQ(model->requests.at(0).tool_choice, (ToolChoice{ToolChoice::Mode::named, "lookup"}));
  EXPECT_EQ(model->requests.at(1).tool_choice, ToolChoice());
}

TEST_F(AssistantTools, refuses_to_choose_a_tool_that_is_not_there) {
  add_tool("lookup", "42");
  options.loop.tool_choice = {ToolChoice::Mode::named, "lockup"};
  host_assistant();
  const Result<Answer> answer = request<Answer>("hr/alice", "q");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::invalid);
  EXPECT_THAT(answer.error().message, HasSubstr("'lockup', and the tools are: lookup"));
}

TEST_F(AssistantTools, lets_the_model_read_what_went_wrong_and_try_again) {
  const auto tool = add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", "{not json"}, {"c2", "lockup", "{}"}});
  model->will_call({{"c3", "lookup", "{}"}});
  model->will_answer("42");
  const Heard turn = heard();
  EXPECT_EQ(turn.answer.text, "42");
  EXPECT_EQ(tool->calls, 1);
  const ChatMessage& malformed = asked(1).at(2);
  EXPECT_TRUE(malformed.is_tool_error);
  EXPECT_THAT(malformed.content, HasSubstr("not a JSON object"));
  EXPECT_TRUE(asked(1).at(3).is_tool_error) << "no such tool";
}

TEST_F(AssistantTools, takes_a_tools_failure_for_a_result) {
  add_tool("lookup", [](nlohmann::json, tools::ToolContext&) -> Task<Result<ToolResult>> {
    co_return fail(ErrorCode::upstream_failed, "the server is away");
  });
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->will_answer("I cannot say.");
  EXPECT_EQ(heard().answer.text, "I cannot say.");
  EXPECT_THAT(asked(1).at(2).content, HasSubstr("the server is away"));
}

TEST_F(AssistantTools, gives_ids_to_calls_that_have_none_or_one_twice) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"", "lookup", "{}"}, {"c", "lookup", "{}"}, {"c", "lookup", "{}"}});
  model->will_answer("42");
  heard();
  const ChatMessage& call = asked(1).at(1);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_FALSE(call.tool_calls.at(i).id.empty());
    EXPECT_TRUE(ids.insert(call.tool_calls[i].id).second);
    EXPECT_EQ(asked(1).at(2 + i).tool_call_id, call.tool_calls[i].id);
  }
  EXPECT_EQ(call.tool_calls.at(1).id, "c") << "what is right stays";
}

TEST_F(AssistantTools, remembers_tool_calls_and_results_in_the_conversation) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->will_answer("42");
  heard("q1");
  model->will_answer("as I said");
  heard("q2");
  ASSERT_EQ(asked(2).size(), 5U);
  EXPECT_EQ(asked(2).at(2).content, "42");
  EXPECT_EQ(asked(2).at(2).role, Role::tool);
}

// --- Several at a time -----------------------------------------------------------------------------------------------

/// Tools that wait until the test lets them go, by the `n` of their arguments.
struct ParallelTools : AssistantTools {
  ParallelTools() {
    add_tool("work", [this](nlohmann::json arguments, tools::ToolContext& context) -> Task<Result<ToolResult>> {
      const int number = arguments.at("n").get<int>();
      started.push_back(number);
      running++;
      most_running = std::max(most_running, running);
      // The later ones take less time.
      const Result<> slept = co_await context.turn.sleep(std::chrono::milliseconds(100 - number * 10));
      running--;
      if (!slept) co_return fail(slept.error());
      finished.push_back(number);
      co_return result_of("r" + std::to_string(number));
    });
  }

  static std::vector<ToolCall> calls(int count) {
    std::vector<ToolCall> calls;
    for (int i = 0; i < count; ++i) {
      calls.push_back({"c" + std::to_string(i), "work", "{\"n\":" + std::to_string(i) + "}"});
    }
    return calls;
  }

  /// Asks, and lets time pass until the answer is there.
  std::optional<Result<Answer>> ask() {
    std::optional<Result<Answer>> answer;
    asio::co_spawn(io, runtime.client().request<Answer>(*AgentId::parse("hr/alice"), Text{"q", ""}),
                   [&answer](const std::exception_ptr&, Result<Answer> result) { answer = std::move(result); });
    for (int i = 0; i < 100 && !answer; ++i) runtime.advance(std::chrono::milliseconds(10));
    return answer;
  }

  std::vector<int> started;
  std::vector<int> finished;
  int running = 0;
  int most_running = 0;
};

TEST_F(ParallelTools, run_at_the_same_time_and_their_results_keep_the_order_of_the_calls) {
  host_assistant();
  model->will_call(calls(3));
  model->will_answer("done");
  const auto answer = ask();
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ(most_running, 3);
  EXPECT_THAT(finished, ElementsAre(2, 1, 0));
  EXPECT_EQ(asked(1).at(2).content, "r0");
  EXPECT_EQ(asked(1).at(3).content, "r1");
  EXPECT_EQ(asked(1).at(4).content, "r2");
  EXPECT_THAT((*answer)->tools_used, ElementsAre("work", "work", "work"));
}

TEST_F(ParallelTools, are_never_more_than_allowed) {
  options.loop.max_parallel = 2;
  host_assistant();
  model->will_call(calls(5));
  model->will_answer("done");
  ASSERT_TRUE(ask());
  EXPECT_EQ(most_running, 2);
  EXPECT_THAT(started, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(asked(1).size(), 7U);
}

TEST_F(ParallelTools, beyond_what_an_answer_may_have_are_not_called) {
  options.loop.max_parallel = 64;
  host_assistant();
  std::vector<ToolCall> many = calls(8);
  for (std::size_t i = many.size(); i < ToolRound::kMaxCalls + 1; ++i) {
    many.push_back({"x" + std::to_string(i), "work", R"({"n":0})"});
  }
  model->will_call(many);
  model->will_answer("done");
  ASSERT_TRUE(ask());
  EXPECT_EQ(started.size(), ToolRound::kMaxCalls);
  EXPECT_THAT(asked(1).back().content, HasSubstr("not called: an answer may have at most 64"));
}

TEST_F(ParallelTools, end_with_the_turn_that_is_cancelled) {
  host_assistant();
  model->will_call(calls(2));
  CallOptions soon;
  soon.timeout = std::chrono::milliseconds(20);
  std::optional<Result<Payload>> answer;
  const Payload question = to_payload(Text{"q", ""});
  asio::co_spawn(io, runtime.client().request(*AgentId::parse("hr/alice"), question, soon),
                 [&answer](const std::exception_ptr&, Result<Payload> result) { answer = std::move(result); });
  for (int i = 0; i < 20; ++i) runtime.advance(std::chrono::milliseconds(10));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().code, ErrorCode::timeout);
  EXPECT_EQ(running, 0);
  EXPECT_THAT(finished, IsEmpty());
  EXPECT_EQ(model->requests.size(), 1U);
}

// --- Ends ------------------------------------------------------------------------------------------------------------

TEST_F(AssistantTools, that_may_not_be_used_any_more_end_in_an_answer_that_says_so) {
  const auto tool = add_tool("lookup", "42");
  options.loop.max_rounds = 2;
  host_assistant();
  for (const char* id : {"c1", "c2", "c3"}) model->will_call({{id, "lookup", "{}"}});
  model->will_answer("What I know: 42.");
  const Heard turn = heard();
  EXPECT_EQ(turn.answer.text, "What I know: 42.");
  EXPECT_EQ(turn.answer.stop_reason, "max_tool_rounds");
  EXPECT_EQ(tool->calls, 2);
  EXPECT_THAT(turn.answer.tools_used, ElementsAre("lookup", "lookup"));
  EXPECT_EQ(model->requests.at(3).tool_choice.mode, ToolChoice::Mode::none);
  EXPECT_FALSE(model->requests.at(3).tools.empty()) << "providers want them for the calls in the history";
  EXPECT_THAT(asked(3).back().content, HasSubstr("Answer with what you have"));
}

TEST_F(AssistantTools, used_as_often_as_allowed_are_no_reason_to_stop) {
  add_tool("lookup", "42");
  options.loop.max_rounds = 1;
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->will_answer("42");
  EXPECT_EQ(heard().answer.stop_reason, "");
}

TEST_F(AssistantTools, are_followed_by_an_answer_even_from_a_model_that_does_not_give_one) {
  add_tool("lookup", "42");
  options.loop.max_rounds = 1;
  host_assistant();
  for (const char* id : {"c1", "c2", "c3"}) model->will_call({{id, "lookup", "{}"}});
  const Heard turn = heard();
  EXPECT_EQ(turn.answer.stop_reason, "max_tool_rounds");
  EXPECT_THAT(turn.answer.text, HasSubstr("used tools as often as I may"));
  EXPECT_EQ(turn.log.back(), "text: " + turn.answer.text);
}

TEST_F(AssistantTools, give_the_answer_themselves_without_reflection) {
  add_tool("lookup", "42");
  options.loop.is_reflecting = false;
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}, {"c2", "lookup", "{}"}});
  const Heard turn = heard();
  EXPECT_EQ(turn.answer.text, "42\n\n42");
  EXPECT_EQ(model->requests.size(), 1U);
  EXPECT_EQ(turn.log.back(), "text: 42\n\n42");
}

TEST_F(AssistantTools, are_paid_for_before_a_budget_forbids_the_next_call) {
  add_tool("lookup", "42");
  options.loop.on_budget_exceeded = "Later.";
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}});
  model->will_fail(ErrorCode::budget_exceeded, "limit");
  const Heard turn = heard();
  EXPECT_EQ(turn.answer.text, "Later.");
  EXPECT_EQ(turn.answer.usage.input_tokens, 10U);
  EXPECT_THAT(turn.answer.tools_used, ElementsAre("lookup"));
}

// --- Handoffs --------------------------------------------------------------------------------------------------------

struct AssistantHandoffs : AssistantTools {
  AssistantHandoffs() { options.handoffs.targets = {{"sales", "sells"}, {"repairs", ""}}; }
};

TEST_F(AssistantHandoffs, end_the_turn_with_whom_to_go_on) {
  host_assistant();
  model->will_call({{"c1", "transfer_to_sales", R"({"reason":"wants to buy"})"}}, "Sales will help you.");
  const Heard turn = heard();
  EXPECT_EQ(turn.answer.handoff, "sales");
  EXPECT_EQ(turn.answer.text, "Sales will help you.");
  EXPECT_THAT(turn.answer.tools_used, IsEmpty());
  EXPECT_EQ(turn.log.back(), "handoff wants to buy: sales");
}

TEST_F(AssistantHandoffs, without_words_say_why) {
  host_assistant();
  model->will_call({{"c1", "transfer_to_sales", R"({"reason":"wants to buy"})"}});
  EXPECT_EQ(heard().answer.text, "wants to buy");
  model->will_call({{"c1", "transfer_to_sales", ""}});
  EXPECT_EQ(heard().answer.text, "I hand over to sales.");
}

TEST_F(AssistantHandoffs, go_to_the_first_one_named) {
  host_assistant();
  model->will_call({{"c1", "transfer_to_repairs", "{}"}, {"c2", "transfer_to_sales", "{}"}});
  EXPECT_EQ(heard().answer.handoff, "repairs");
}

TEST_F(AssistantHandoffs, take_along_what_tools_gave_beside_them) {
  add_tool("lookup", "42");
  host_assistant();
  model->will_call({{"c1", "lookup", "{}"}, {"c2", "transfer_to_sales", "{}"}}, "See below.");
  const Heard turn = heard();
  EXPECT_EQ(turn.answer.text, "See below.\n\n[lookup] 42");
  EXPECT_EQ(turn.answer.handoff, "sales");
  EXPECT_THAT(turn.answer.tools_used, ElementsAre("lookup"));
}

TEST_F(AssistantHandoffs, are_remembered_as_what_was_said) {
  host_assistant();
  model->will_call({{"c1", "transfer_to_sales", "{}"}}, "Over to sales.");
  heard();
  model->will_answer("a");
  heard();
  ASSERT_EQ(asked(1).size(), 3U);
  EXPECT_EQ(asked(1).at(1), (ChatMessage{Role::assistant, "Over to sales."}));
}

}  // namespace
}  // namespace parley::kinds
