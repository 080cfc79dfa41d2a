#include "agents/llm/openai_request.hpp"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "agents/llm/json_schema.hpp"
#include "agents/llm/json_text.hpp"
#include "agents/llm/tool_call_accumulator.hpp"

namespace parley::llm {

namespace {

using nlohmann::json;

std::string_view name_of(Role role) {
  switch (role) {
    case Role::system:
      return "system";
    case Role::user:
      return "user";
    case Role::assistant:
      return "assistant";
    case Role::tool:
      return "tool";
  }
  return "user";
}

json message_of(const ChatMessage& message) {
  json result{{"role", name_of(message.role)}, {"content", message.content}};
  if (message.role == Role::tool) result["tool_call_id"] = message.tool_call_id;
  if (message.tool_calls.empty()) return result;
  if (message.content.empty()) result["content"] = nullptr;
  json& calls = result["tool_calls"] = json::array();
  for (const messages::ToolCall& call : message.tool_calls) {
    const std::string arguments = to_text(arguments_object(call.arguments));
    calls.push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", arguments}}}});
  }
  return result;
}

json choice_of(const ToolChoice& choice) {
  switch (choice.mode) {
    case ToolChoice::Mode::automatic:
      return "auto";
    case ToolChoice::Mode::none:
      return "none";
    case ToolChoice::Mode::required:
      return "required";
    case ToolChoice::Mode::named:
      return {{"type", "function"}, {"function", {{"name", choice.name}}}};
  }
  return "auto";
}

void add_tools(json& body, const ChatRequest& request) {
  if (request.tools.empty()) return;
  json& tools = body["tools"] = json::array();
  for (const ToolSpec& tool : request.tools) {
    json function{{"name", tool.name}, {"parameters", parse_schema(tool.parameters)}};
    if (!tool.description.empty()) function["description"] = tool.description;
    tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  if (request.tool_choice != ToolChoice{}) body["tool_choice"] = choice_of(request.tool_choice);
  if (!request.is_parallel_tool_calls_allowed) body["parallel_tool_calls"] = false;
}

/// For servers that cannot be told the schema in any other way. OpenAI's json_object mode wants the word JSON as well.
void add_schema_prompt(json& messages, const json& schema) {
  const std::string text =
      "Answer with one JSON object and nothing else. It must fit this JSON Schema:\n" + to_text(schema);
  // Chat templates of many models take one system message only, at the beginning.
  if (!messages.empty() && messages.front()["role"] == "system") {
    messages.front()["content"] = messages.front()["content"].get<std::string>() + "\n\n" + text;
  } else {
    messages.insert(messages.begin(), json{{"role", "system"}, {"content", text}});
  }
}

void add_response_schema(json& body, const ResponseSchema& response, StructuredOutput how) {
  json schema = parse_schema(response.schema);
  if (how == StructuredOutput::json_schema) {
    json format{{"name", response.name.empty() ? "answer" : response.name}};
    format["strict"] = is_strict_schema(schema);
    format["schema"] = std::move(schema);
    body["response_format"] = {{"type", "json_schema"}, {"json_schema", std::move(format)}};
    return;
  }
  add_schema_prompt(body["messages"], schema);
  if (how == StructuredOutput::json_object) body["response_format"] = {{"type", "json_object"}};
}

}  // namespace

std::string openai_request_body(const ChatRequest& request, const std::string& model, Delivery delivery,
                                const OpenAiDialect& dialect) {
  json messages = json::array();
  for (const ChatMessage& message : request.messages) messages.push_back(message_of(message));
  json body{{"model", model}, {"messages", std::move(messages)}};
  if (request.temperature) body["temperature"] = *request.temperature;
  if (request.max_tokens) {
    const bool is_new = dialect.max_tokens_field == MaxTokensField::max_completion_tokens;
    body[is_new ? "max_completion_tokens" : "max_tokens"] = *request.max_tokens;
  }
  if (!request.stop.empty()) body["stop"] = request.stop;
  add_tools(body, request);
  if (request.response_schema) add_response_schema(body, *request.response_schema, dialect.structured_output);
  if (delivery == Delivery::streamed) {
    body["stream"] = true;
    if (dialect.has_stream_usage) body["stream_options"] = {{"include_usage", true}};
  }
  if (const auto extra = parse_json(dialect.extra_body); extra && extra->is_object()) body.update(*extra);
  return to_text(body);
}

}  // namespace parley::llm
