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

/// True when a provider has counted so few tokens for a request that it cannot have read all of it: Ollama cuts at its
/// `num_ctx` without a word. Hardly any text has so few tokens for its bytes, and a short one says nothing.
[[nodiscard]] bool is_input_cut(std::uint64_t counted, std::uint64_t estimated);

}  // namespace parley::llm
