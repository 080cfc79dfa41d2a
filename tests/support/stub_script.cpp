#include "tests/support/stub_script.hpp"

#include <nlohmann/json.hpp>

#include "agents/llm/json_text.hpp"

namespace parley::test {

namespace {

using llm::member;
using llm::Role;
using llm::text_member;
using nlohmann::json;

Role role_of(std::string_view name) {
  if (name == "system" || name == "developer") return Role::system;
  if (name == "assistant") return Role::assistant;
  return name == "tool" ? Role::tool : Role::user;
}

void read_openai_message(const json& message, llm::ChatRequest& request) {
  llm::ChatMessage& read = request.messages.emplace_back();
  read.role = role_of(text_member(message, "role"));
  read.content = text_member(message, "content");
  read.tool_call_id = text_member(message, "tool_call_id");
  for (const json& call : member(message, "tool_calls")) {
    const json& function = member(call, "function");
    read.tool_calls.push_back({std::string(text_member(call, "id")), std::string(text_member(function, "name")),
                               std::string(text_member(function, "arguments"))});
  }
}

/// One message for each result of a tool, and one for the rest.
void read_anthropic_message(const json& message, llm::ChatRequest& request) {
  llm::ChatMessage read;
  read.role = role_of(text_member(message, "role"));
  for (const json& block : member(message, "content")) {
    const std::string_view type = text_member(block, "type");
    if (type == "text") read.content += text_member(block, "text");
    if (type == "tool_use") {
      read.tool_calls.push_back({std::string(text_member(block, "id")), std::string(text_member(block, "name")),
                                 llm::to_text(member(block, "input"))});
    }
    if (type == "tool_result") {
      llm::ChatMessage& result = request.messages.emplace_back();
      result.role = Role::tool;
      result.content = text_member(block, "content");
      result.tool_call_id = text_member(block, "tool_use_id");
    }
  }
  if (!read.content.empty() || !read.tool_calls.empty()) request.messages.push_back(std::move(read));
}

void read_tools(const json& body, llm::ChatRequest& request) {
  for (const json& tool : member(body, "tools")) {
    const json& function = member(tool, "function");
    const bool is_openai = function.is_object();
    const json& schema = is_openai ? member(function, "parameters") : member(tool, "input_schema");
    request.tools.push_back(
        {.name = std::string(text_member(is_openai ? function : tool, "name")), .parameters = llm::to_text(schema)});
  }
  const json& choice = member(body, "tool_choice");
  if (choice == json("none") || text_member(choice, "type") == "none") {
    request.tool_choice.mode = llm::ToolChoice::Mode::none;
  }
}

}  // namespace

llm::ChatRequest chat_request_of(const StubRequest& request) {
  llm::ChatRequest read;
  const json body = json::parse(request.body, nullptr, false);
  const bool is_anthropic = request.path.ends_with("/messages");
  for (const json& block : member(body, "system")) {
    read.messages.push_back({Role::system, std::string(text_member(block, "text"))});
  }
  for (const json& message : member(body, "messages")) {
    if (is_anthropic) {
      read_anthropic_message(message, read);
    } else {
      read_openai_message(message, read);
    }
  }
  read_tools(body, read);
  const json& schema = member(member(body, "response_format"), "json_schema");
  if (schema.is_object()) {
    read.response_schema = {std::string(text_member(schema, "name")), llm::to_text(member(schema, "schema"))};
  }
  return read;
}

StubReply reply_by_rules(const llm::OfflineRules& rules, const StubRequest& request) {
  llm::OfflineRules::Reply answer = rules.reply(chat_request_of(request));
  StubReply reply;
  reply.delay = answer.latency;
  reply.piece_interval = rules.options().chunk_interval;
  if (rules.options().chunk_bytes > 0) reply.chunk_bytes = rules.options().chunk_bytes;
  reply.text = std::move(answer.completion.text);
  for (messages::ToolCall& call : answer.completion.tool_calls) {
    reply.tool_calls.push_back({std::move(call.id), std::move(call.name), std::move(call.arguments)});
  }
  if (answer.error) {
    reply.status = answer.error->code == ErrorCode::overloaded ? 429 : 500;
    reply.raw_body = json{{"error", {{"message", answer.error->message}, {"type", "stub_error"}}}}.dump();
  }
  return reply;
}

}  // namespace parley::test
