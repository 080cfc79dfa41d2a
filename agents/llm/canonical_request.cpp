#include "agents/llm/canonical_request.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "agents/llm/fingerprint.hpp"
#include "agents/llm/json_text.hpp"

namespace parley::llm {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kRoles{"system", "user", "assistant", "tool"};
constexpr std::array<std::string_view, 4> kChoices{"auto", "none", "required", "named"};
constexpr std::array<std::string_view, 5> kFinishReasons{"stop", "length", "content_filter", "tool_calls", "unknown"};
constexpr std::array<std::string_view, 4> kKinds{"other", "context_window", "content_policy", "refused_here"};

template <std::size_t kCount, class Enum>
json name_of(const std::array<std::string_view, kCount>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

template <class Enum, std::size_t kCount>
Enum value_of(const std::array<std::string_view, kCount>& names, std::string_view name, Enum fallback) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return fallback;
}

json json_of(const std::vector<messages::ToolCall>& calls) {
  json result = json::array();
  for (const messages::ToolCall& call : calls) {
    result.push_back({{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
  }
  return result;
}

json json_of(const ChatMessage& message) {
  json result{{"role", name_of(kRoles, message.role)}, {"content", message.content}};
  if (!message.tool_calls.empty()) result["tool_calls"] = json_of(message.tool_calls);
  if (!message.tool_call_id.empty()) result["tool_call_id"] = message.tool_call_id;
  if (message.is_tool_error) result["is_tool_error"] = true;
  if (!message.provider_state.empty()) result["provider_state"] = message.provider_state;
  return result;
}

json json_of(const messages::Usage& usage) {
  return {{"model", usage.model},
          {"input_tokens", usage.input_tokens},
          {"output_tokens", usage.output_tokens},
          {"cached_input_tokens", usage.cached_input_tokens},
          {"reasoning_tokens", usage.reasoning_tokens},
          {"cache_write_tokens", usage.cache_write_tokens},
          {"is_estimated", usage.is_estimated}};
}

messages::Usage usage_of(const json& object) {
  messages::Usage usage;
  usage.model = text_member(object, "model");
  usage.input_tokens = count_member(object, "input_tokens").value_or(0);
  usage.output_tokens = count_member(object, "output_tokens").value_or(0);
  usage.cached_input_tokens = count_member(object, "cached_input_tokens").value_or(0);
  usage.reasoning_tokens = count_member(object, "reasoning_tokens").value_or(0);
  usage.cache_write_tokens = count_member(object, "cache_write_tokens").value_or(0);
  usage.is_estimated = member(object, "is_estimated") == json(true);
  return usage;
}

}  // namespace

json json_of(const ChatRequest& request) {
  json result{{"messages", json::array()}};
  for (const ChatMessage& message : request.messages) result["messages"].push_back(json_of(message));
  if (!request.model.empty()) result["model"] = request.model;
  if (request.temperature) result["temperature"] = *request.temperature;
  if (request.max_tokens) result["max_tokens"] = *request.max_tokens;
  if (!request.stop.empty()) result["stop"] = request.stop;
  for (const ToolSpec& tool : request.tools) {
    result["tools"].push_back(
        {{"name", tool.name}, {"description", tool.description}, {"parameters", tool.parameters}});
  }
  if (request.tool_choice != ToolChoice{}) {
    result["tool_choice"] = {{"mode", name_of(kChoices, request.tool_choice.mode)}, {"name", request.tool_choice.name}};
  }
  if (!request.is_parallel_tool_calls_allowed) result["parallel_tool_calls"] = false;
  if (request.response_schema) {
    result["response_schema"] = {{"name", request.response_schema->name}, {"schema", request.response_schema->schema}};
  }
  return result;
}

std::string fingerprint_of(const json& request) {
  Fingerprint fingerprint;
  fingerprint.add(to_text(request));
  return fingerprint.str();
}

json json_of(const Completion& completion) {
  json result{{"text", completion.text},
              {"finish_reason", name_of(kFinishReasons, completion.finish_reason)},
              {"usage", json_of(completion.usage)}};
  if (!completion.tool_calls.empty()) result["tool_calls"] = json_of(completion.tool_calls);
  if (!completion.provider_state.empty()) result["provider_state"] = completion.provider_state;
  return result;
}

json json_of(const ModelError& failure) {
  json result{{"code", to_string(failure.error.code)},
              {"message", failure.error.message},
              {"retryable", failure.error.retryable},
              {"kind", name_of(kKinds, failure.kind)}};
  if (failure.retry_after) result["retry_after_ms"] = failure.retry_after->count();
  if (failure.usage) result["usage"] = json_of(*failure.usage);
  return result;
}

Result<Completion> completion_of(const json& object) {
  if (!member(object, "text").is_string()) return fail(ErrorCode::invalid, "the completion has no `text`");
  Completion completion;
  completion.text = text_member(object, "text");
  completion.finish_reason = value_of(kFinishReasons, text_member(object, "finish_reason"), FinishReason::unknown);
  completion.provider_state = text_member(object, "provider_state");
  completion.usage = usage_of(member(object, "usage"));
  if (const json& calls = member(object, "tool_calls"); calls.is_array()) {
    for (const json& call : calls) {
      completion.tool_calls.push_back({std::string(text_member(call, "id")), std::string(text_member(call, "name")),
                                       std::string(text_member(call, "arguments"))});
    }
  }
  return completion;
}

Result<ModelError> model_error_of(const json& object) {
  const auto code = error_code_from_string(text_member(object, "code"));
  if (!code) return fail(ErrorCode::invalid, "the error has no known `code`");
  ModelError failure{.error = {*code, std::string(text_member(object, "message"))}};
  failure.error.retryable = member(object, "retryable") == json(true);
  failure.kind = value_of(kKinds, text_member(object, "kind"), ModelError::Kind::other);
  if (const auto wait = count_member(object, "retry_after_ms")) {
    failure.retry_after = std::chrono::milliseconds(std::min<std::uint64_t>(*wait, 86'400'000));
  }
  if (member(object, "usage").is_object()) failure.usage = usage_of(member(object, "usage"));
  return failure;
}

}  // namespace parley::llm
