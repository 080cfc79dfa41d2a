#include "agents/llm/token_estimate.hpp"

namespace parley::llm {

namespace {
constexpr std::uint64_t kBytesPerToken = 4;
constexpr std::uint64_t kTokensPerMessage = 4;
}  // namespace

std::uint64_t estimate_tokens(std::string_view text) { return (text.size() + kBytesPerToken - 1) / kBytesPerToken; }

std::uint64_t estimate_tokens(const std::vector<ChatMessage>& messages) {
  std::uint64_t total = 0;
  for (const ChatMessage& message : messages) total += kTokensPerMessage + estimate_tokens(message.content);
  return total;
}

}  // namespace parley::llm
