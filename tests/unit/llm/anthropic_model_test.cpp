// The Messages API against the stub server, on one loop.
#include "agents/llm/anthropic_model.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agents/llm/retrying_model.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/stub_model_server.hpp"

namespace parley::llm {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::StubReply;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

using Outcome = std::expected<Completion, ModelError>;

constexpr const char* kKeyVariable = "PARLEY_TEST_ANTHROPIC_KEY";
constexpr const char* kKey = "sk-ant-secret-0123456789";

class AnthropicModelTest : public testing::Test {
 protected:
  AnthropicModelTest() {
    ::setenv(kKeyVariable, kKey, 1);
    options_.http.base_url = server_.base_url();
    options_.http.key_variable = kKeyVariable;
    options_.model = "asked-model";
  }

  Outcome complete(ChatRequest request = ask()) { return run(std::move(request), {}); }
  Outcome stream(ChatRequest request = ask()) {
    return run(std::move(request), [this](std::string_view piece) -> Task<Result<>> {
      pieces_.emplace_back(piece);
      co_return Result<>{};
    });
  }
  static ChatRequest ask() {
    ChatRequest request;
    request.messages = {{Role::user, "Hi"}};
    return request;
  }

  asio::io_context io_;
  SystemClock clock_;
  SeededRandom random_{1};
  test::StubModelServer server_{io_};
  AnthropicOptions options_;
  std::vector<std::string> pieces_;

 private:
  Outcome run(ChatRequest request, ChunkSink sink) {
    std::shared_ptr<ChatModel> model =
        make_anthropic_model(options_, http::CurlMulti::make(io_), clock_, random_).value();
    RetryingOptions retrying;
    retrying.retry.first_backoff = retrying.retry.max_backoff = 1ms;
    RetryingModel retried(std::move(model), retrying, clock_, random_);
    return test::run_task(io_, retried.complete(std::move(request), std::move(sink)));
  }
};

TEST_F(AnthropicModelTest, posts_to_messages_with_version_and_key) {
  options_.beta = "context-1m";
  ASSERT_TRUE(complete());
  const test::StubRequest& request = server_.requests().at(0);
  EXPECT_EQ(request.path, "/v1/messages");
  EXPECT_EQ(request.header("x-api-key"), kKey);
  EXPECT_EQ(request.header("authorization"), "");
  EXPECT_EQ(request.header("anthropic-version"), "2023-06-01");
  EXPECT_EQ(request.header("anthropic-beta"), "context-1m");
}

TEST_F(AnthropicModelTest, counts_the_tokens_of_the_cache_as_input_streamed_or_not) {
  for (const Outcome& outcome : {complete(), stream()}) {
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    EXPECT_EQ(outcome->text, "Hello from the stub.");
    EXPECT_EQ(outcome->finish_reason, FinishReason::stop);
    messages::Usage expected;
    expected.model = "stub-model";
    expected.input_tokens = 11;
    expected.cached_input_tokens = 3;
    expected.cache_write_tokens = 2;
    expected.output_tokens = 5;
    EXPECT_EQ(outcome->usage, expected);
  }
  EXPECT_THAT(pieces_, ElementsAre("Hello", " from", " the ", "stub."));
}

TEST_F(AnthropicModelTest, returns_tool_calls_and_thinking_that_the_next_request_brings_back) {
  StubReply reply;
  reply.text = "Let me see.";
  reply.thinking = "I should look.";
  reply.tool_calls = {{"toolu_1", "sql", R"({"query":"SELECT 1"})"}, {"toolu_2", "now", "{}"}};
  server_.push(reply);
  server_.push(reply);
  for (const Outcome& outcome : {complete(), stream()}) {
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    EXPECT_EQ(outcome->finish_reason, FinishReason::tool_calls);
    EXPECT_THAT(outcome->tool_calls, ElementsAre(messages::ToolCall{"toolu_1", "sql", R"({"query":"SELECT 1"})"},
                                                 messages::ToolCall{"toolu_2", "now", "{}"}));
    ChatRequest next = ask();
    next.messages.push_back({.role = Role::assistant,
                             .content = outcome->text,
                             .tool_calls = outcome->tool_calls,
                             .provider_state = outcome->provider_state});
    ASSERT_TRUE(complete(next));
    const json sent = json::parse(server_.requests().back().body)["messages"][1]["content"];
    EXPECT_EQ(sent[0], json::parse(R"({"type":"thinking","thinking":"I should look.","signature":"stub-signature"})"));
    EXPECT_EQ(sent[3]["id"], "toolu_2");
  }
}

TEST_F(AnthropicModelTest, gives_a_structured_answer_as_text) {
  StubReply reply;
  reply.text = "Here it is:";
  reply.tool_calls = {{"toolu_1", "verdict", R"({"accepted":true})"}};
  server_.push(reply);
  server_.push(reply);
  ChatRequest request = ask();
  request.response_schema = {.name = "verdict", .schema = R"({"type":"object"})"};
  for (const Outcome& outcome : {complete(request), stream(request)}) {
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    EXPECT_EQ(outcome->text, R"({"accepted":true})");
    EXPECT_EQ(outcome->finish_reason, FinishReason::stop);
    EXPECT_THAT(outcome->tool_calls, SizeIs(0));
  }
  std::string streamed;
  for (const std::string& piece : pieces_) streamed += piece;
  EXPECT_EQ(streamed, R"({"accepted":true})");
}

TEST_F(AnthropicModelTest, tries_again_when_the_server_is_overloaded) {
  StubReply busy;
  busy.status = 529;
  busy.raw_body = R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"})";
  server_.push(busy);
  busy.status = 429;
  busy.headers = {{"retry-after", "0"}};
  server_.push(busy);
  const Outcome outcome = complete();
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_THAT(outcome->failed_attempts, ElementsAre(ErrorCode::overloaded, ErrorCode::overloaded));
}

TEST_F(AnthropicModelTest, does_not_retry_at_a_spending_limit_and_names_the_request) {
  StubReply broke;
  broke.status = 429;
  broke.headers = {{"request-id", "req_7"}, {"x-should-retry", "true"}};
  broke.raw_body = R"({"type":"error","error":{"type":"rate_limit_error","message":"Spending limit reached",
                       "details":{"error_code":"enforced_spend_limit_reached"}}})";
  server_.set_default(broke);
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::budget_exceeded);
  EXPECT_THAT(outcome.error().error.message, AllOf(HasSubstr("req_7"), HasSubstr("Spending limit reached")));
  EXPECT_THAT(server_.requests(), SizeIs(1));
}

TEST_F(AnthropicModelTest, never_shows_the_key) {
  StubReply refused;
  refused.status = 401;
  refused.raw_body =
      std::string(R"({"type":"error","error":{"type":"authentication_error","message":"invalid )") + kKey + R"("}})";
  server_.set_default(refused);
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::unauthorized);
  EXPECT_THAT(outcome.error().error.message, AllOf(HasSubstr(kKeyVariable), Not(HasSubstr(kKey))));
}

TEST_F(AnthropicModelTest, counts_what_a_cut_answer_has_cost) {
  StubReply cut;
  cut.ending = StubReply::Ending::cut;
  cut.pieces_before_ending = 3;  // the beginning of the block and two pieces
  server_.push(cut);
  const Outcome outcome = stream();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::upstream_failed);
  ASSERT_TRUE(outcome.error().usage);
  EXPECT_EQ(outcome.error().usage->input_tokens, 11U);
  EXPECT_EQ(outcome.error().usage->output_tokens, 3U);
  EXPECT_TRUE(outcome.error().usage->is_estimated);
}

}  // namespace
}  // namespace parley::llm
