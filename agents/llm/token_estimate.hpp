// Token counts for answers whose provider does not say what they cost. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

/// Four bytes a token, rounded up: within a third of common tokenizers on English prose.
[[nodiscard]] std::uint64_t estimate_tokens(std::size_t bytes);
[[nodiscard]] inline std::uint64_t estimate_tokens(std::string_view text) { return estimate_tokens(text.size()); }
/// The message, its tool calls and the few tokens that frame it.
[[nodiscard]] std::uint64_t estimate_tokens(const ChatMessage& message);
[[nodiscard]] std::uint64_t estimate_tokens(const std::vector<ChatMessage>& messages);
/// Everything that the model reads: messages, descriptions of tools, the schema of the answer.
[[nodiscard]] std::uint64_t estimate_input_tokens(const ChatRequest& request);

}  // namespace parley::llm
