#include "agents/llm/anthropic_request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/llm/ask.hpp"

namespace parley::llm {
namespace {

using nlohmann::json;

/// Without marks for the cache, which most tests do not look at.
AnthropicOptions plain() {
  AnthropicOptions options;
  options.is_prompt_cached = false;
  return options;
}

json body_of(const ChatRequest& request, const AnthropicOptions& options = plain()) {
  return json::parse(anthropic_request_body(request, "claude-x", Delivery::whole, options));
}

ChatMessage calling(std::vector<messages::ToolCall> calls, std::string state = "") {
  ChatMessage message;
  message.role = Role::assistant;
  message.tool_calls = std::move(calls);
  message.provider_state = std::move(state);
  return message;
}

ChatMessage result(std::string id, std::string content) {
  ChatMessage message;
  message.role = Role::tool;
  message.tool_call_id = std::move(id);
  message.content = std::move(content);
  return message;
}

TEST(AnthropicRequest, has_a_limit_and_the_system_prompt_at_the_top) {
  ChatRequest request;
  request.messages = {{Role::system, "Be brief."}, {Role::user, "Hi"}, {Role::system, "Be kind."}};
  EXPECT_EQ(body_of(request), json::parse(R"({"model":"claude-x","max_tokens":4096,
      "system":[{"type":"text","text":"Be brief.\n\nBe kind."}],
      "messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]})"));
}

TEST(AnthropicRequest, passes_the_options_on) {
  ChatRequest request = ask("Hi");
  request.max_tokens = 9;
  request.temperature = 1.5;
  request.stop = {"END"};
  const json body = body_of(request);
  EXPECT_EQ(body["max_tokens"], 9);
  EXPECT_EQ(body["temperature"], 1.0);
  EXPECT_EQ(body["stop_sequences"], json::array({"END"}));
  EXPECT_EQ(json::parse(anthropic_request_body(request, "m", Delivery::streamed, plain()))["stream"], true);
}

TEST(AnthropicRequest, puts_all_results_of_tools_into_one_user_message_before_its_text) {
  ChatRequest request = ask("Hi");
  request.messages.push_back(calling({{"a", "sql", R"({"q":1})"}, {"b", "now", ""}}));
  request.messages.push_back(result("a", "1"));
  request.messages.push_back({Role::user, "Go on."});
  request.messages.push_back(result("b", "no clock"));
  request.messages.back().is_tool_error = true;
  EXPECT_EQ(body_of(request)["messages"], json::parse(R"([
      {"role":"user","content":[{"type":"text","text":"Hi"}]},
      {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"sql","input":{"q":1}},
                                     {"type":"tool_use","id":"b","name":"now","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"},
                                {"type":"tool_result","tool_use_id":"b","content":"no clock","is_error":true},
                                {"type":"text","text":"Go on."}]}])"));
}

TEST(AnthropicRequest, joins_messages_of_one_side_and_leaves_out_empty_ones) {
  ChatRequest request;
  request.messages = {{Role::user, "a"}, {Role::user, ""}, {Role::user, "b"}, {Role::assistant, ""}};
  EXPECT_EQ(body_of(request)["messages"], json::parse(R"([
      {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])"));
}

TEST(AnthropicRequest, begins_with_the_user_although_a_limit_has_cut_him_off) {
  ChatRequest request;
  request.messages = {{Role::assistant, "Yes?"}, {Role::user, "Hi"}};
  EXPECT_EQ(body_of(request)["messages"][0]["role"], "user");
  EXPECT_EQ(body_of(request)["messages"].size(), 3U);
}

TEST(AnthropicRequest, returns_thinking_unchanged) {
  const std::string blocks = R"([{"type":"thinking","thinking":"hm","signature":"s"},
                                 {"type":"tool_use","id":"a","name":"sql","input":{}}])";
  ChatRequest request = ask("Hi");
  request.messages.push_back(calling({{"a", "sql", "{}"}}, R"({"anthropic":)" + blocks + "}"));
  EXPECT_EQ(body_of(request)["messages"][1]["content"], json::parse(blocks));
}

TEST(AnthropicRequest, drops_thinking_about_calls_that_are_not_there_any_more) {
  ChatRequest request = ask("Hi");
  request.messages.push_back(calling({{"a", "sql", "{}"}}, R"({"anthropic":[{"type":"thinking","thinking":"hm"}]})"));
  request.messages.push_back(calling({{"b", "sql", "{}"}}, "no JSON"));
  EXPECT_EQ(body_of(request)["messages"][1]["content"],
            json::parse(R"([{"type":"tool_use","id":"a","name":"sql","input":{}},
                            {"type":"tool_use","id":"b","name":"sql","input":{}}])"));
}

TEST(AnthropicRequest, offers_tools_and_says_which_must_be_used) {
  ChatRequest request = ask("Hi");
  request.tools = {{.name = "sql", .description = "asks", .parameters = R"({"type":"object","required":["q"]})"}};
  json body = body_of(request);
  EXPECT_EQ(body["tools"], json::parse(R"([{"name":"sql","description":"asks",
                                            "input_schema":{"type":"object","required":["q"]}}])"));
  EXPECT_FALSE(body.contains("tool_choice"));
  request.tool_choice = {ToolChoice::Mode::required};
  EXPECT_EQ(body_of(request)["tool_choice"], json::parse(R"({"type":"any"})"));
  request.tool_choice = {ToolChoice::Mode::named, "sql"};
  EXPECT_EQ(body_of(request)["tool_choice"], json::parse(R"({"type":"tool","name":"sql"})"));
  request.tool_choice = {ToolChoice::Mode::none};
  EXPECT_EQ(body_of(request)["tool_choice"], json::parse(R"({"type":"none"})"));
  request.tool_choice = {};
  request.is_parallel_tool_calls_allowed = false;
  EXPECT_EQ(body_of(request)["tool_choice"], json::parse(R"({"type":"auto","disable_parallel_tool_use":true})"));
}

TEST(AnthropicRequest, defines_tools_of_the_history_that_are_not_offered_any_more) {
  ChatRequest request = ask("Hi");
  request.messages.push_back(calling({{"a", "sql", "{}"}}));
  request.messages.push_back(result("a", "1"));
  const json body = body_of(request);
  EXPECT_EQ(body["tools"][0]["name"], "sql");
  EXPECT_EQ(body["tool_choice"], json::parse(R"({"type":"none"})"));
}

TEST(AnthropicRequest, asks_for_structured_output_by_a_forced_tool) {
  ChatRequest request = ask("Hi");
  request.response_schema = {.name = "verdict", .schema = R"({"type":"object"})"};
  json body = body_of(request);
  EXPECT_EQ(body["tools"][0]["name"], "verdict");
  EXPECT_EQ(body["tool_choice"], json::parse(R"({"type":"tool","name":"verdict"})"));
  request.tools = {{.name = "verdict"}};
  body = body_of(request);
  EXPECT_EQ(body["tools"][1]["name"], "verdict_answer");
  EXPECT_EQ(body["tool_choice"], json::parse(R"({"type":"any"})"));
}

TEST(AnthropicRequest, does_not_force_a_model_that_thinks) {
  AnthropicOptions options = plain();
  options.thinking_tokens = 2000;
  ChatRequest request = ask("Hi");
  request.temperature = 0.5;
  request.response_schema = {.name = "verdict", .schema = "{}"};
  const json body = body_of(request, options);
  EXPECT_EQ(body["thinking"], json::parse(R"({"type":"enabled","budget_tokens":2000})"));
  EXPECT_EQ(body["max_tokens"], 6096);
  EXPECT_FALSE(body.contains("temperature"));
  EXPECT_FALSE(body.contains("tool_choice"));
  EXPECT_NE(body["system"][0]["text"].get<std::string>().find("tool verdict"), std::string::npos);
}

TEST(AnthropicRequest, marks_what_the_next_request_begins_with_for_the_cache) {
  ChatRequest request = ask("Hi");
  request.messages.insert(request.messages.begin(), {Role::system, "Be brief."});
  request.tools = {{.name = "sql"}, {.name = "now"}};
  const json body = body_of(request, AnthropicOptions{});
  const json mark = json::parse(R"({"type":"ephemeral"})");
  EXPECT_EQ(body["system"][0]["cache_control"], mark);
  EXPECT_FALSE(body["tools"][0].contains("cache_control"));
  EXPECT_EQ(body["tools"][1]["cache_control"], mark);
  EXPECT_EQ(body["messages"][0]["content"][0]["cache_control"], mark);
}

}  // namespace
}  // namespace parley::llm
