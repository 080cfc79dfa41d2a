#include "agents/llm/openai_request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace parley::llm {
namespace {

using nlohmann::json;

json body_of(const ChatRequest& request, Delivery delivery = Delivery::whole,
             MaxTokensField field = MaxTokensField::max_tokens) {
  return json::parse(openai_request_body(request, "m1", delivery, OpenAiDialect{.max_tokens_field = field}));
}

TEST(OpenAiRequest, holds_model_and_messages_and_nothing_that_was_not_asked_for) {
  ChatRequest request;
  request.messages = {{Role::system, "Be brief."}, {Role::user, "Hi"}, {Role::assistant, "Yes?"}};
  EXPECT_EQ(body_of(request), json::parse(R"({"model":"m1","messages":[{"role":"system","content":"Be brief."},
      {"role":"user","content":"Hi"},{"role":"assistant","content":"Yes?"}]})"));
}

TEST(OpenAiRequest, passes_the_options_on) {
  ChatRequest request;
  request.temperature = 0.5;
  request.stop = {"END"};
  EXPECT_EQ(body_of(request)["temperature"], 0.5);
  EXPECT_EQ(body_of(request)["stop"], json::array({"END"}));
}

TEST(OpenAiRequest, names_the_limit_as_the_provider_wants_it) {
  ChatRequest request;
  request.max_tokens = 7;
  const json old_name = body_of(request, Delivery::whole, MaxTokensField::max_tokens);
  const json new_name = body_of(request, Delivery::whole, MaxTokensField::max_completion_tokens);
  EXPECT_EQ(old_name["max_tokens"], 7);
  EXPECT_FALSE(old_name.contains("max_completion_tokens"));
  EXPECT_EQ(new_name["max_completion_tokens"], 7);
  EXPECT_FALSE(new_name.contains("max_tokens"));
}

TEST(OpenAiRequest, asks_for_usage_when_streamed) {
  const json body = body_of({}, Delivery::streamed);
  EXPECT_EQ(body["stream"], true);
  EXPECT_EQ(body["stream_options"]["include_usage"], true);
}

TEST(OpenAiRequest, repairs_text_that_is_not_utf8) {
  ChatRequest request;
  request.messages = {{Role::user, "a\xFFz"}};
  EXPECT_EQ(body_of(request)["messages"][0]["content"], "a\xEF\xBF\xBDz");
}

TEST(Endpoint, posts_below_the_base_url) {
  const auto endpoint = Endpoint::parse("http://127.0.0.1:8080/v1/");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->chat_url, "http://127.0.0.1:8080/v1/chat/completions");
  EXPECT_EQ(endpoint->host, "127.0.0.1:8080");
}

TEST(Endpoint, knows_loopback) {
  EXPECT_TRUE(Endpoint::parse("http://localhost/v1")->is_loopback);
  EXPECT_TRUE(Endpoint::parse("http://[::1]:1/v1")->is_loopback);
  EXPECT_TRUE(Endpoint::parse("http://127.1.2.3/v1")->is_loopback);
  EXPECT_FALSE(Endpoint::parse("https://api.openai.com/v1")->is_loopback);
  EXPECT_FALSE(Endpoint::parse("https://127.evil.example/v1")->is_loopback);
}

TEST(Endpoint, refuses_what_is_no_http_url) {
  for (const char* url : {"", "api", "ftp://host/v1", "http://", "http://host/v1?x=1", "file:///etc/passwd"}) {
    const auto endpoint = Endpoint::parse(url);
    ASSERT_FALSE(endpoint) << url;
    EXPECT_EQ(endpoint.error().code, ErrorCode::bad_configuration);
  }
}

TEST(Endpoint, refuses_a_password_without_repeating_it) {
  const auto endpoint = Endpoint::parse("https://user:hunter2@host/v1");
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().message.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace parley::llm
