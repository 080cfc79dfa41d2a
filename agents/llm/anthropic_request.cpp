#include "agents/llm/anthropic_request.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "agents/llm/json_schema.hpp"
#include "agents/llm/json_text.hpp"
#include "agents/llm/tool_call_accumulator.hpp"

namespace parley::llm {

namespace {

using nlohmann::json;

json text_block(const std::string& text) { return {{"type", "text"}, {"text", text}}; }

/// A block that ends a part of the request that the next one will begin with as well.
void mark_for_cache(json& block) { block["cache_control"] = {{"type", "ephemeral"}}; }

/// True when the blocks hold exactly the tool calls of the message: somebody may have left some out.
bool holds_calls_of(const json& blocks, const ChatMessage& message) {
  std::set<std::string_view> ids;
  for (const json& block : blocks) {
    if (text_member(block, "type") == "tool_use") ids.insert(text_member(block, "id"));
  }
  return ids.size() == message.tool_calls.size() &&
         std::ranges::all_of(message.tool_calls, [&](const messages::ToolCall& call) { return ids.contains(call.id); });
}

json assistant_blocks(const ChatMessage& message) {
  json blocks = json::array();
  if (const auto state = parse_json(message.provider_state)) {
    const json& kept = member(*state, "anthropic");
    if (kept.is_array() && holds_calls_of(kept, message)) return kept;
  }
  if (!message.content.empty()) blocks.push_back(text_block(message.content));
  for (const messages::ToolCall& call : message.tool_calls) {
    blocks.push_back(
        {{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", arguments_object(call.arguments)}});
  }
  return blocks;
}

json user_blocks(const ChatMessage& message) {
  json blocks = json::array();
  if (message.role == Role::tool) {
    json block{{"type", "tool_result"}, {"tool_use_id", message.tool_call_id}, {"content", message.content}};
    if (message.is_tool_error) block["is_error"] = true;
    blocks.push_back(std::move(block));
  } else if (!message.content.empty()) {
    blocks.push_back(text_block(message.content));
  }
  return blocks;
}

/// Alternating turns. The API refuses empty texts, and tool results that do not come first.
json turns_of(const ChatRequest& request) {
  json turns = json::array();
  for (const ChatMessage& message : request.messages) {
    if (message.role == Role::system) continue;
    const bool is_assistant = message.role == Role::assistant;
    const char* role = is_assistant ? "assistant" : "user";
    json blocks = is_assistant ? assistant_blocks(message) : user_blocks(message);
    if (blocks.empty()) continue;
    if (turns.empty() || turns.back()["role"] != role) {
      turns.push_back({{"role", role}, {"content", std::move(blocks)}});
      continue;
    }
    json& content = turns.back()["content"];
    auto where = content.end();
    if (message.role == Role::tool) {
      where = std::ranges::find_if(content, [](const json& block) { return block["type"] != "tool_result"; });
    }
    content.insert(where, blocks.begin(), blocks.end());
  }
  // A conversation begins with the user, who may have been forgotten by a limit.
  if (turns.empty() || turns.front()["role"] != "user") {
    json beginning{{"role", "user"}, {"content", json::array({text_block("(continue)")})}};
    turns.insert(turns.begin(), std::move(beginning));
  }
  return turns;
}

std::string system_of(const ChatRequest& request) {
  std::string text;
  for (const ChatMessage& message : request.messages) {
    if (message.role != Role::system || message.content.empty()) continue;
    text += (text.empty() ? "" : "\n\n") + message.content;
  }
  return text;
}

/// What the request offers; tools that only the history names must be defined as well, or the API refuses it.
json tools_of(const ChatRequest& request) {
  json tools = json::array();
  std::set<std::string_view> names;
  for (const ToolSpec& tool : request.tools) {
    names.insert(tool.name);
    json entry{{"name", tool.name}, {"input_schema", parse_schema(tool.parameters)}};
    if (!tool.description.empty()) entry["description"] = tool.description;
    tools.push_back(std::move(entry));
  }
  for (const ChatMessage& message : request.messages) {
    for (const messages::ToolCall& call : message.tool_calls) {
      if (!names.insert(call.name).second) continue;
      tools.push_back(
          {{"name", call.name}, {"description", "Not available any more."}, {"input_schema", {{"type", "object"}}}});
    }
  }
  return tools;
}

/// Null: the API's default, `auto`.
json choice_of(const ChatRequest& request, const std::string& answer_tool, bool is_thinking) {
  json choice;
  const ToolChoice& asked = request.tool_choice;
  const bool is_free = asked.mode == ToolChoice::Mode::automatic || asked.mode == ToolChoice::Mode::required;
  if (is_thinking) {
    // A model that thinks may not be forced.
    if (asked.mode == ToolChoice::Mode::none && answer_tool.empty()) choice = {{"type", "none"}};
  } else if (!answer_tool.empty()) {
    // With tools of its own the model may use these first.
    choice = is_free && !request.tools.empty() ? json{{"type", "any"}} : json{{"type", "tool"}, {"name", answer_tool}};
    if (asked.mode == ToolChoice::Mode::named) choice = {{"type", "tool"}, {"name", asked.name}};
  } else if (asked.mode == ToolChoice::Mode::none || request.tools.empty()) {
    choice = {{"type", "none"}};
  } else if (asked.mode == ToolChoice::Mode::required) {
    choice = {{"type", "any"}};
  } else if (asked.mode == ToolChoice::Mode::named) {
    choice = {{"type", "tool"}, {"name", asked.name}};
  }
  const bool may_call = choice.is_null() || choice["type"] != "none";
  if (!request.is_parallel_tool_calls_allowed && may_call) {
    if (choice.is_null()) choice = {{"type", "auto"}};
    choice["disable_parallel_tool_use"] = true;
  }
  return choice;
}

void add_tools(json& body, const ChatRequest& request, const AnthropicOptions& options) {
  json tools = tools_of(request);
  const std::string answer_tool = answer_tool_name(request);
  if (!answer_tool.empty()) {
    tools.push_back({{"name", answer_tool},
                     {"description", "Gives the final answer. Call it exactly once, when you know the answer."},
                     {"input_schema", parse_schema(request.response_schema->schema)}});
  }
  if (tools.empty()) return;
  if (options.is_prompt_cached) mark_for_cache(tools.back());
  body["tools"] = std::move(tools);
  if (json choice = choice_of(request, answer_tool, options.thinking_tokens > 0); !choice.is_null()) {
    body["tool_choice"] = std::move(choice);
  }
}

void add_system(json& body, const ChatRequest& request, const AnthropicOptions& options) {
  std::string system = system_of(request);
  const std::string answer_tool = answer_tool_name(request);
  if (!answer_tool.empty() && options.thinking_tokens > 0) {
    system += (system.empty() ? "" : "\n\n") + ("Give your final answer by calling the tool " + answer_tool + ".");
  }
  if (system.empty()) return;
  json block = text_block(system);
  if (options.is_prompt_cached) mark_for_cache(block);
  body["system"] = json::array({std::move(block)});
}

void add_limits(json& body, const ChatRequest& request, const AnthropicOptions& options) {
  const std::uint64_t max_tokens = request.max_tokens.value_or(options.max_tokens);
  body["max_tokens"] = max_tokens + options.thinking_tokens;
  if (options.thinking_tokens > 0) {
    body["thinking"] = {{"type", "enabled"}, {"budget_tokens", options.thinking_tokens}};
  } else if (request.temperature) {
    body["temperature"] = std::min(*request.temperature, 1.0);  // a model that thinks has its own
  }
  if (!request.stop.empty()) body["stop_sequences"] = request.stop;
}

}  // namespace

std::string answer_tool_name(const ChatRequest& request) {
  if (!request.response_schema) return {};
  std::string name = request.response_schema->name.empty() ? "answer" : request.response_schema->name;
  while (std::ranges::find(request.tools, name, &ToolSpec::name) != request.tools.end()) name += "_answer";
  return name;
}

std::string anthropic_request_body(const ChatRequest& request, const std::string& model, Delivery delivery,
                                   const AnthropicOptions& options) {
  json body{{"model", model}, {"messages", turns_of(request)}};
  add_limits(body, request, options);
  add_system(body, request, options);
  add_tools(body, request, options);
  json& last = body["messages"].back()["content"].back();
  if (options.is_prompt_cached && last["type"] != "thinking" && last["type"] != "redacted_thinking") {
    mark_for_cache(last);
  }
  if (delivery == Delivery::streamed) body["stream"] = true;
  if (const auto extra = parse_json(options.extra_body); extra && extra->is_object()) body.update(*extra);
  return to_text(body);
}

}  // namespace parley::llm
