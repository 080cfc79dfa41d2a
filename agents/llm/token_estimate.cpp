#include "agents/llm/token_estimate.hpp"

namespace parley::llm {

namespace {
constexpr std::uint64_t kBytesPerToken = 4;
constexpr std::uint64_t kTokensPerMessage = 4;
constexpr std::uint64_t kTellingTokens = 1000;
constexpr std::uint64_t kLeastShare = 3;  ///< of the estimate, as a divisor
}  // namespace

std::uint64_t estimate_tokens(std::size_t bytes) { return (bytes + kBytesPerToken - 1) / kBytesPerToken; }

std::uint64_t estimate_tokens(const ChatMessage& message) {
  std::uint64_t total = kTokensPerMessage + estimate_tokens(message.content);
  for (const messages::ToolCall& call : message.tool_calls) {
    total += kTokensPerMessage + estimate_tokens(call.name) + estimate_tokens(call.arguments);
  }
  return total + estimate_tokens(message.provider_state);
}

std::uint64_t estimate_tokens(const std::vector<ChatMessage>& messages) {
  std::uint64_t total = 0;
  for (const ChatMessage& message : messages) total += estimate_tokens(message);
  return total;
}

std::uint64_t estimate_input_tokens(const ChatRequest& request) {
  std::uint64_t total = estimate_tokens(request.messages);
  for (const ToolSpec& tool : request.tools) {
    total += kTokensPerMessage + estimate_tokens(tool.name) + estimate_tokens(tool.description) +
             estimate_tokens(tool.parameters);
  }
  if (request.response_schema) total += estimate_tokens(request.response_schema->schema);
  return total;
}

bool is_input_cut(std::uint64_t counted, std::uint64_t estimated) {
  return counted > 0 && estimated >= kTellingTokens && counted < estimated / kLeastShare;
}

}  // namespace parley::llm
