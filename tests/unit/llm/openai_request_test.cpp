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

ChatRequest with_tools() {
  ChatRequest request;
  request.messages = {{Role::user, "Hi"}};
  request.tools = {{.name = "add", .description = "adds", .parameters = R"({"type":"object","required":["a"]})"},
                   {.name = "now"}};
  return request;
}

TEST(OpenAiRequest, offers_tools_as_functions) {
  const json body = body_of(with_tools());
  EXPECT_EQ(body["tools"], json::parse(R"([
      {"type":"function","function":{"name":"add","description":"adds","parameters":{"type":"object","required":["a"]}}},
      {"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}])"));
  EXPECT_FALSE(body.contains("tool_choice"));
  EXPECT_FALSE(body.contains("parallel_tool_calls"));
}

TEST(OpenAiRequest, says_which_tools_may_or_must_be_used) {
  ChatRequest request = with_tools();
  request.is_parallel_tool_calls_allowed = false;
  request.tool_choice = {ToolChoice::Mode::none};
  EXPECT_EQ(body_of(request)["tool_choice"], "none");
  EXPECT_EQ(body_of(request)["parallel_tool_calls"], false);
  request.tool_choice = {ToolChoice::Mode::required};
  EXPECT_EQ(body_of(request)["tool_choice"], "required");
  request.tool_choice = {ToolChoice::Mode::named, "now"};
  EXPECT_EQ(body_of(request)["tool_choice"], json::parse(R"({"type":"function","function":{"name":"now"}})"));
}

TEST(OpenAiRequest, shows_calls_and_results_of_tools) {
  ChatRequest request;
  request.messages = {{.role = Role::assistant, .tool_calls = {{"c1", "add", R"({"a":1})"}}, .provider_state = "[1]"},
                      {.role = Role::tool, .content = "2", .tool_call_id = "c1"}};
  EXPECT_EQ(body_of(request)["messages"], json::parse(R"([
      {"role":"assistant","content":null,
       "tool_calls":[{"id":"c1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}}]},
      {"role":"tool","content":"2","tool_call_id":"c1"}])"));
}

TEST(OpenAiRequest, sends_back_only_arguments_that_every_chat_template_can_read) {
  const auto sent = [](std::string arguments) {
    ChatRequest request;
    request.messages = {{.role = Role::assistant, .tool_calls = {{"c1", "add", std::move(arguments)}}}};
    return json::parse(body_of(request)["messages"][0]["tool_calls"][0]["function"]["arguments"].get<std::string>());
  };
  EXPECT_EQ(sent(""), json::object());
  EXPECT_EQ(sent("{\"a\": "), json::parse(R"({"malformed_arguments":"{\"a\": "})"));
  EXPECT_EQ(sent("[1]"), json::parse(R"({"malformed_arguments":"[1]"})"));
}

ChatRequest with_schema(std::string schema) {
  ChatRequest request;
  request.messages = {{Role::system, "Be brief."}, {Role::user, "Hi"}};
  request.response_schema = {.name = "verdict", .schema = std::move(schema)};
  return request;
}

json body_with(StructuredOutput how, const ChatRequest& request) {
  return json::parse(openai_request_body(request, "m1", Delivery::whole, OpenAiDialect{.structured_output = how}));
}

TEST(OpenAiRequest, asks_for_structured_output_and_for_strictness_where_the_schema_allows_it) {
  const std::string strict = R"({"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"],
                                 "additionalProperties":false})";
  const json format = body_with(StructuredOutput::json_schema, with_schema(strict))["response_format"];
  EXPECT_EQ(format["type"], "json_schema");
  EXPECT_EQ(format["json_schema"]["name"], "verdict");
  EXPECT_EQ(format["json_schema"]["schema"], json::parse(strict));
  EXPECT_EQ(format["json_schema"]["strict"], true);
  const json loose =
      body_with(StructuredOutput::json_schema, with_schema(R"({"type":"object","properties":{"a":{}}})"));
  EXPECT_EQ(loose["response_format"]["json_schema"]["strict"], false);
}

TEST(OpenAiRequest, puts_the_schema_into_the_prompt_for_servers_that_know_only_json_objects) {
  const json body = body_with(StructuredOutput::json_object, with_schema(R"({"type":"object"})"));
  EXPECT_EQ(body["response_format"], json::parse(R"({"type":"json_object"})"));
  EXPECT_EQ(body["messages"].size(), 2U);
  const std::string system = body["messages"][0]["content"];
  EXPECT_TRUE(system.starts_with("Be brief.\n\nAnswer with one JSON object")) << system;
  EXPECT_TRUE(system.ends_with(R"({"type":"object"})")) << system;
}

TEST(OpenAiRequest, adds_a_system_prompt_for_the_schema_where_there_is_none) {
  ChatRequest request = with_schema("not a schema");
  request.messages.erase(request.messages.begin());
  const json body = body_with(StructuredOutput::prompt, request);
  EXPECT_FALSE(body.contains("response_format"));
  EXPECT_EQ(body["messages"][0]["role"], "system");
  EXPECT_EQ(body["messages"][1]["role"], "user");
}

TEST(OpenAiRequest, takes_further_fields_and_leaves_out_what_the_server_refuses) {
  const OpenAiDialect dialect{.has_stream_usage = false, .extra_body = R"({"reasoning_effort":"low"})"};
  const json body = json::parse(openai_request_body({}, "m1", Delivery::streamed, dialect));
  EXPECT_EQ(body["reasoning_effort"], "low");
  EXPECT_EQ(body["stream"], true);
  EXPECT_FALSE(body.contains("stream_options"));
}

TEST(Endpoint, leaves_out_the_slash_at_the_end) {
  const auto endpoint = Endpoint::parse("http://127.0.0.1:8080/v1/");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->base_url, "http://127.0.0.1:8080/v1");
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
