#include "agents/llm/openai_request.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

namespace parley::llm {

namespace {

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

}  // namespace

std::string openai_request_body(const ChatRequest& request, const std::string& model, Delivery delivery,
                                MaxTokensField max_tokens_field) {
  nlohmann::json messages = nlohmann::json::array();
  for (const ChatMessage& message : request.messages) {
    messages.push_back({{"role", name_of(message.role)}, {"content", message.content}});
  }
  nlohmann::json body{{"model", model}, {"messages", std::move(messages)}};
  if (request.temperature) body["temperature"] = *request.temperature;
  if (request.max_tokens) {
    const bool is_new = max_tokens_field == MaxTokensField::max_completion_tokens;
    body[is_new ? "max_completion_tokens" : "max_tokens"] = *request.max_tokens;
  }
  if (!request.stop.empty()) body["stop"] = request.stop;
  if (delivery == Delivery::streamed) {
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
  }
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace parley::llm
