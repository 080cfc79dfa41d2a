// One script, played by the offline model and over both HTTP interfaces: an agent cannot tell which one it talks to.
#include "tests/support/stub_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/llm/anthropic_model.hpp"
#include "agents/llm/offline_model.hpp"
#include "agents/llm/openai_model.hpp"
#include "tests/support/run_task.hpp"

namespace parley::llm {
namespace {

OfflineRules script() {
  OfflineRule ask_database;
  ask_database.user = TextPattern{TextPattern::Match::contains, "revenue"};
  ask_database.reply = "Let me look.";
  ask_database.tool_calls = {{"sql", R"({"query":"SELECT 1"})"}};
  OfflineRule answer;
  answer.system = "finance";
  answer.after_tool = "sql";
  answer.tool_result = TextPattern{TextPattern::Match::regex, "([0-9]+)"};
  answer.reply = "It was $1.";
  OfflineOptions options;
  options.prefix = "";
  options.rules = {ask_database, answer};
  return OfflineRules::make(options).value();
}

class SameScript : public testing::TestWithParam<std::string> {
 protected:
  SameScript() {
    server_.set_responder([](const test::StubRequest& request) { return test::reply_by_rules(script(), request); });
  }

  std::unique_ptr<ChatModel> model() {
    if (GetParam() == "offline") return std::make_unique<OfflineModel>(script(), clock_);
    if (GetParam() == "openai") {
      OpenAiOptions options;
      options.http.base_url = server_.base_url();
      options.http.key_variable = "";
      return make_openai_model(options, http::CurlMulti::make(io_), clock_, random_).value();
    }
    AnthropicOptions options;
    options.http.base_url = server_.base_url();
    options.http.key_variable = "";
    return make_anthropic_model(options, http::CurlMulti::make(io_), clock_, random_).value();
  }

  asio::io_context io_;
  SystemClock clock_;
  SeededRandom random_{1};
  test::StubModelServer server_{io_};
};

TEST_P(SameScript, plays_a_turn_with_a_tool) {
  const std::unique_ptr<ChatModel> chat_model = model();
  ChatRequest request;
  request.messages = {{Role::system, "You are the finance agent."}, {Role::user, "What was the revenue?"}};
  request.tools = {{.name = "sql", .description = "asks the database"}};
  const auto first = test::run_task(io_, chat_model->complete(request, {}));
  ASSERT_TRUE(first) << first.error().error.message;
  EXPECT_EQ(first->text, "Let me look.");
  ASSERT_EQ(first->tool_calls.size(), 1U);
  EXPECT_EQ(first->tool_calls[0].arguments, R"({"query":"SELECT 1"})");

  request.messages.push_back({.role = Role::assistant, .content = first->text, .tool_calls = first->tool_calls});
  request.messages.push_back({.role = Role::tool, .content = "[[4200]]", .tool_call_id = first->tool_calls[0].id});
  const auto second = test::run_task(io_, chat_model->complete(request, {}));
  ASSERT_TRUE(second) << second.error().error.message;
  EXPECT_EQ(second->text, "It was 4200.");
  EXPECT_EQ(second->finish_reason, FinishReason::stop);
}

INSTANTIATE_TEST_SUITE_P(Providers, SameScript, testing::Values("offline", "openai", "anthropic"),
                         [](const auto& provider) { return provider.param; });

}  // namespace
}  // namespace parley::llm
