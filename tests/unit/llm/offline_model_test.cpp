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

ChatRequest ask(std::string text) {
  ChatRequest request;
  request.messages = {{Role::system, "budget"}, {Role::user, std::move(text)}};
  return request;
}

std::string answer(std::vector<OfflineRule> rules, const std::string& text) {
  return OfflineRules::make(options(std::move(rules)))->reply(ask(text)).completion.text;
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
  ChatRequest request = ask("budget");
  request.messages.push_back({Role::assistant, "Which one?"});
  request.messages.push_back({Role::user, "holiday"});
  const auto rules = OfflineRules::make(options({contains("budget", "finance"), contains("holiday", "HR")}));
  EXPECT_EQ(rules->reply(request).completion.text, "HR");
}

TEST(OfflineRules, say_that_they_are_the_offline_model) {
  const auto rules = OfflineRules::make({});
  const Completion completion = rules->reply(ask("anything")).completion;
  EXPECT_EQ(completion.text, "[offline] I am the offline model and have no rule for this message.");
  EXPECT_EQ(completion.usage.model, "offline");
}

TEST(OfflineRules, count_tokens_or_say_what_the_rule_says) {
  OfflineRule expensive = contains("big", "yes");
  expensive.input_tokens = 1000;
  expensive.output_tokens = 2000;
  const auto rules = OfflineRules::make(options({expensive, contains("small", "12345678")}));
  EXPECT_EQ(rules->reply(ask("big")).completion.usage.input_tokens, 1000U);
  EXPECT_EQ(rules->reply(ask("big")).completion.usage.output_tokens, 2000U);
  EXPECT_EQ(rules->reply(ask("small")).completion.usage.output_tokens, 2U);
  EXPECT_EQ(rules->reply(ask("small")).completion.usage.input_tokens, 4U + 2U + 4U + 2U);
}

TEST(OfflineRules, end_where_a_model_would) {
  const auto rules = OfflineRules::make(options({contains("x", "one two three four")}));
  ChatRequest request = ask("x");
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
  const auto completion = complete(model_options, ask("x"), [&](std::string_view piece) -> Task<Result<>> {
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
  const auto completion = complete(model_options, ask("x"));
  ASSERT_TRUE(completion);
  EXPECT_GE(completion->latency, 2ms);
}

TEST_F(OfflineModelTest, ends_at_the_deadline_when_its_latency_is_longer) {
  OfflineOptions model_options = options({});
  model_options.latency = 1h;
  ChatRequest request = ask("x");
  request.deadline = clock_.now() + 1ms;
  const auto completion = complete(model_options, request);
  ASSERT_FALSE(completion);
  EXPECT_EQ(completion.error().error.code, ErrorCode::timeout);
}

TEST_F(OfflineModelTest, ends_with_the_failure_of_the_sink) {
  const auto completion = complete(options({}), ask("x"), [](std::string_view) -> Task<Result<>> {
    co_return fail(ErrorCode::cancelled, "the caller went away");
  });
  ASSERT_FALSE(completion);
  EXPECT_EQ(completion.error().error.message, "the caller went away");
}

}  // namespace
}  // namespace parley::llm
