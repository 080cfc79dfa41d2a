// Token counts for answers whose provider does not say what they cost. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

/// Four bytes a token, rounded up: within a third of common tokenizers on English prose.
[[nodiscard]] std::uint64_t estimate_tokens(std::string_view text);
/// The messages and the few tokens that frame each of them.
[[nodiscard]] std::uint64_t estimate_tokens(const std::vector<ChatMessage>& messages);

}  // namespace parley::llm
