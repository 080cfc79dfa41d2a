#include "agents/llm/offline_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_task.hpp"

namespace parley::llm {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

OfflineRule contains(std::string pattern, std::string reply) {
  OfflineRule rule;
  rule.user = TextPattern{.match = TextPattern::Match::contains, .pattern = std::move(pattern)};
  rule.reply = std::move(reply);
  return rule;
}

OfflineRule matches(std::string pattern, std::string reply) {
  OfflineRule rule = contains(std::move(pattern), std::move(reply));
  rule.user->match = TextPattern::Match::regex;
  return rule;
}

OfflineOptions options(std::vector<OfflineRule> rules) {
  OfflineOptions options;
  options.rules = std::move(rules);
  options.prefix = "";
  return options;
}

ChatRequest budget_question(std::string text) {
  ChatRequest request;
  request.messages = {{Role::system, "budget"}, {Role::user, std::move(text)}};
  return request;
}

std::string answer(std::vector<OfflineRule> rules, const std::string& text) {
  return OfflineRules::make(options(std::move(rules)))->reply(budget_question(text)).completion.text;
}

TEST(OfflineRules, answer_by_the_first_rule_that_matches) {
  EXPECT_EQ(answer({contains("pay", "HR"), contains("payday", "never")}, "When is payday?"), "HR");
}

TEST(OfflineRules, do_not_care_about_case) {
  EXPECT_EQ(answer({contains("BudGet", "finance")}, "my bUDget"), "finance");
  EXPECT_EQ(answer({matches("^my BUDGET$", "finance")}, "My budget"), "finance");
}

TEST(OfflineRules, put_the_groups_of_an_expression_into_the_reply) {
  EXPECT_EQ(answer({matches("my name is (\\w+) (\\w+)", "Hello $1 of the $2s, '$0' costs $$5, $x$3.")},
                   "Well, my name is Ada Lovelace"),
            "Hello Ada of the Lovelaces, 'my name is Ada Lovelace' costs $5, $x.");
}

TEST(OfflineRules, look_at_the_last_user_message_only) {
  ChatRequest request = budget_question("budget");
  request.messages.push_back({Role::assistant, "Which one?"});
  request.messages.push_back({Role::user, "holiday"});
  const auto rules = OfflineRules::make(options({contains("budget", "finance"), contains("holiday", "HR")}));
  EXPECT_EQ(rules->reply(request).completion.text, "HR");
}

TEST(OfflineRules, say_that_they_are_the_offline_model) {
  const auto rules = OfflineRules::make({});
  const Completion completion = rules->reply(budget_question("anything")).completion;
  EXPECT_EQ(completion.text, "[offline] I am the offline model and have no rule for this message.");
  EXPECT_EQ(completion.usage.model, "offline");
}

TEST(OfflineRules, count_tokens_or_say_what_the_rule_says) {
  OfflineRule expensive = contains("big", "yes");
  expensive.input_tokens = 1000;
  expensive.output_tokens = 2000;
  const auto rules = OfflineRules::make(options({expensive, contains("small", "12345678")}));
  EXPECT_EQ(rules->reply(budget_question("big")).completion.usage.input_tokens, 1000U);
  EXPECT_EQ(rules->reply(budget_question("big")).completion.usage.output_tokens, 2000U);
  EXPECT_EQ(rules->reply(budget_question("small")).completion.usage.output_tokens, 2U);
  EXPECT_EQ(rules->reply(budget_question("small")).completion.usage.input_tokens, 4U + 2U + 4U + 2U);
}

TEST(OfflineRules, end_where_a_model_would) {
  const auto rules = OfflineRules::make(options({contains("x", "one two three four")}));
  ChatRequest request = budget_question("x");
  request.stop = {" three"};
  EXPECT_EQ(rules->reply(request).completion.text, "one two");
  request.max_tokens = 1;
  EXPECT_EQ(rules->reply(request).completion.text, "one ");
  EXPECT_EQ(rules->reply(request).completion.finish_reason, FinishReason::length);
}

TEST(OfflineRules, name_every_wrong_expression) {
  const auto rules =
      OfflineRules::make(options({matches("(", "a"), contains("fine", "b"), matches("[z-a]", "c"), contains("", "d")}));
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(rules.error().message,
              testing::AllOf(HasSubstr("rule 1 ('(')"), HasSubstr("rule 3 ('[z-a]')"), HasSubstr("rule 4")));
}

TEST(OfflineRules, survive_hostile_text) {
  EXPECT_EQ(answer({matches("(a+)+b", "found")}, std::string(1'000'000, 'a')).substr(0, 4), "I am");
}

/// A conversation in which the model has asked for a tool and got its result.
ChatRequest after_tool(std::string tool, std::string result) {
  ChatRequest request = budget_question("What did we earn?");
  request.messages.push_back(
      {.role = Role::assistant, .tool_calls = {{.id = "call_1", .name = tool, .arguments = "{}"}}});
  request.messages.push_back({.role = Role::tool, .content = std::move(result), .tool_call_id = "call_1"});
  request.tools = {{.name = std::move(tool)}};
  return request;
}

OfflineRule calls(OfflineRule rule, std::string tool, std::string arguments = "{}") {
  rule.tool_calls.push_back({std::move(tool), std::move(arguments)});
  return rule;
}

OfflineRule on_result(TextPattern::Match match, std::string pattern, std::string reply) {
  OfflineRule rule;
  rule.tool_result = TextPattern{.match = match, .pattern = std::move(pattern)};
  rule.reply = std::move(reply);
  return rule;
}

Completion completion_of(std::vector<OfflineRule> rules, const ChatRequest& request) {
  return OfflineRules::make(options(std::move(rules)))->reply(request).completion;
}

ChatRequest ask_with_tool(std::string text, std::string tool) {
  ChatRequest request = budget_question(std::move(text));
  request.tools = {{.name = std::move(tool)}};
  return request;
}

TEST(OfflineTools, are_called_with_the_groups_of_the_expression_as_json) {
  const Completion completion =
      completion_of({calls(matches("say (.*)", "I say $1"), "shout", R"({"text":"$1","times":2})")},
                    ask_with_tool("say \"hi\"", "shout"));
  EXPECT_EQ(completion.finish_reason, FinishReason::tool_calls);
  EXPECT_EQ(completion.text, "I say \"hi\"");
  ASSERT_EQ(completion.tool_calls.size(), 1U);
  EXPECT_EQ(completion.tool_calls[0].name, "shout");
  EXPECT_EQ(completion.tool_calls[0].arguments, R"({"text":"\"hi\"","times":2})");
}

TEST(OfflineTools, have_the_same_id_for_the_same_conversation_only) {
  const std::vector<OfflineRule> rules{calls(contains("x", ""), "t")};
  const std::string id = completion_of(rules, ask_with_tool("x", "t")).tool_calls[0].id;
  EXPECT_EQ(completion_of(rules, ask_with_tool("x", "t")).tool_calls[0].id, id);
  ChatRequest later = ask_with_tool("x", "t");
  later.messages.push_back({Role::user, "x again"});
  EXPECT_NE(completion_of(rules, later).tool_calls[0].id, id);
}

TEST(OfflineTools, are_not_called_when_the_request_does_not_offer_or_forbids_them) {
  const std::vector<OfflineRule> rules{calls(contains("x", "with"), "t"), contains("x", "without")};
  EXPECT_EQ(completion_of(rules, budget_question("x")).text, "without");
  ChatRequest forbidden = ask_with_tool("x", "t");
  forbidden.tool_choice = {ToolChoice::Mode::none};
  EXPECT_EQ(completion_of(rules, forbidden).text, "without");
  EXPECT_EQ(completion_of(rules, ask_with_tool("x", "t")).text, "with");
}

TEST(OfflineTools, are_called_one_at_a_time_when_the_request_says_so) {
  const std::vector<OfflineRule> rules{calls(calls(contains("x", ""), "t"), "t")};
  ChatRequest request = ask_with_tool("x", "t");
  EXPECT_EQ(completion_of(rules, request).tool_calls.size(), 2U);
  request.is_parallel_tool_calls_allowed = false;
  EXPECT_EQ(completion_of(rules, request).tool_calls.size(), 1U);
}

TEST(OfflineTools, are_called_with_a_sample_when_the_request_insists) {
  ChatRequest request = ask_with_tool("x", "t");
  request.tools.push_back({.name = "u", .parameters = R"({"type":"object","required":["n"],
      "properties":{"n":{"type":"integer","minimum":3},"more":{"type":"string"}}})"});
  request.tool_choice = {ToolChoice::Mode::named, "u"};
  const Completion completion = completion_of({}, request);
  ASSERT_EQ(completion.tool_calls.size(), 1U);
  EXPECT_EQ(completion.tool_calls[0].name, "u");
  EXPECT_EQ(completion.tool_calls[0].arguments, R"({"n":3})");
}

TEST(OfflineRules, answer_the_result_of_a_tool_and_take_its_groups) {
  const std::vector<OfflineRule> rules{calls(contains("earn", "looking"), "sql"),
                                       on_result(TextPattern::Match::regex, "total: (\\d+)", "We earned $1.")};
  EXPECT_EQ(completion_of(rules, after_tool("sql", "rows 1, total: 42")).text, "We earned 42.");
  EXPECT_THAT(completion_of(rules, after_tool("sql", "error")).text, HasSubstr("no rule"));
}

TEST(OfflineRules, look_at_the_whole_of_a_long_text) {
  const std::vector<OfflineRule> rules{calls(contains("earn", "looking"), "sql"),
                                       on_result(TextPattern::Match::regex, "^(a+)+ Total: (\\d+)$", "We earned $2.")};
  EXPECT_EQ(completion_of(rules, after_tool("sql", std::string(100'000, 'a') + " total: 42")).text, "We earned 42.");
}

TEST(OfflineRules, look_at_all_results_that_came_together) {
  ChatRequest request = after_tool("sql", "failed");
  request.messages.push_back({.role = Role::tool, .content = "passed", .tool_call_id = "call_2"});
  const std::vector<OfflineRule> rules{on_result(TextPattern::Match::contains, "failed", "again")};
  EXPECT_EQ(completion_of(rules, request).text, "again");
  request.messages.push_back({Role::user, "so?"});
  EXPECT_NE(completion_of(rules, request).text, "again");
}

TEST(OfflineRules, tell_the_results_of_tools_apart) {
  OfflineRule rule;
  rule.after_tool = "tests";
  rule.reply = "done";
  EXPECT_EQ(completion_of({rule}, after_tool("tests", "ok")).text, "done");
  EXPECT_NE(completion_of({rule}, after_tool("write", "ok")).text, "done");
}

TEST(OfflineRules, want_all_of_their_conditions) {
  OfflineRule rule = contains("program", "print(2)");
  rule.system = "CODER";
  rule.history = "assertion failed";
  rule.call = 2;
  ChatRequest request;
  request.messages = {{Role::system, "You are a coder."},
                      {Role::user, "Write a program."},
                      {Role::assistant, "print(1)"},
                      {Role::user, "Assertion failed; mend the program."}};
  EXPECT_EQ(completion_of({rule}, request).text, "print(2)");
  for (std::size_t left_out = 0; left_out < request.messages.size(); ++left_out) {
    ChatRequest less = request;
    less.messages[left_out] = {Role::system, "nothing"};
    if (left_out == 1) continue;
    EXPECT_NE(completion_of({rule}, less).text, "print(2)") << left_out;
  }
}

TEST(OfflineRules, answer_structured_questions_without_a_prefix) {
  OfflineOptions with_prefix;
  with_prefix.rules = {contains("poem", R"({"accepted":true})")};
  const auto rules = OfflineRules::make(with_prefix);
  ChatRequest request = budget_question("Is the poem good?");
  request.response_schema = {.name = "verdict", .schema = R"({"type":"object","required":["accepted"],
      "properties":{"accepted":{"type":"boolean"}}})"};
  EXPECT_EQ(rules->reply(request).completion.text, R"({"accepted":true})");
  request.messages.back().content = "Is the program good?";
  EXPECT_EQ(rules->reply(request).completion.text, R"({"accepted":false})");
}

TEST(OfflineRules, name_rules_without_a_condition_or_with_wrong_arguments) {
  const auto rules = OfflineRules::make(options({OfflineRule{}, calls(contains("x", ""), "t", "[1]")}));
  ASSERT_FALSE(rules);
  EXPECT_THAT(rules.error().message, testing::AllOf(HasSubstr("rule 1: it has no condition"),
                                                    HasSubstr("rule 2 ('x'): the arguments of 't'")));
}

TEST(SplitChunks, never_splits_a_character) {
  EXPECT_THAT(split_chunks("aéb€", 2), ElementsAre("a", "é", "b", "€"));
  EXPECT_THAT(split_chunks("abc", 0), ElementsAre("abc"));
}

class OfflineModelTest : public testing::Test {
 protected:
  std::expected<Completion, ModelError> complete(OfflineOptions model_options, ChatRequest request,
                                                 ChunkSink sink = {}) {
    OfflineModel model(OfflineRules::make(std::move(model_options)).value(), clock_);
    return test::run_task(io_, model.complete(std::move(request), std::move(sink)));
  }

  asio::io_context io_;
  SystemClock clock_;
};

TEST_F(OfflineModelTest, streams_the_text_in_order) {
  OfflineOptions model_options = options({contains("x", "abcdefg")});
  model_options.chunk_bytes = 3;
  std::vector<std::string> pieces;
  const auto completion = complete(model_options, budget_question("x"), [&](std::string_view piece) -> Task<Result<>> {
    pieces.emplace_back(piece);
    co_return Result<>{};
  });
  ASSERT_TRUE(completion);
  EXPECT_THAT(pieces, ElementsAre("abc", "def", "g"));
  EXPECT_TRUE(completion->time_to_first_chunk);
}

TEST_F(OfflineModelTest, takes_its_latency) {
  OfflineOptions model_options = options({});
  model_options.latency = 2ms;
  const auto completion = complete(model_options, budget_question("x"));
  ASSERT_TRUE(completion);
  EXPECT_GE(completion->latency, 2ms);
}

TEST_F(OfflineModelTest, ends_at_the_deadline_when_its_latency_is_longer) {
  OfflineOptions model_options = options({});
  model_options.latency = 1h;
  ChatRequest request = budget_question("x");
  request.deadline = clock_.now() + 1ms;
  const auto completion = complete(model_options, request);
  ASSERT_FALSE(completion);
  EXPECT_EQ(completion.error().error.code, ErrorCode::timeout);
}

TEST_F(OfflineModelTest, fails_when_its_rule_says_so) {
  OfflineRule rule = contains("x", "no room");
  rule.error = ErrorCode::overloaded;
  const auto completion = complete(options({rule}), budget_question("x"));
  ASSERT_FALSE(completion);
  EXPECT_EQ(completion.error().error.code, ErrorCode::overloaded);
  EXPECT_THAT(completion.error().error.message, HasSubstr("no room"));
}

TEST_F(OfflineModelTest, ends_with_the_failure_of_the_sink) {
  const auto completion = complete(options({}), budget_question("x"), [](std::string_view) -> Task<Result<>> {
    co_return fail(ErrorCode::cancelled, "the caller went away");
  });
  ASSERT_FALSE(completion);
  EXPECT_EQ(completion.error().error.message, "the caller went away");
}

}  // namespace
}  // namespace parley::llm
