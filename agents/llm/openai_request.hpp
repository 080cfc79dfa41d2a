// The body of a chat completions request. Pure; any thread.
#pragma once

#include <string>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/openai_options.hpp"

namespace parley::llm {

/// How the answer is to arrive.
enum class Delivery : std::uint8_t { whole, streamed };

/// JSON. Text that is not UTF-8 is repaired with replacement characters rather than refused.
[[nodiscard]] std::string openai_request_body(const ChatRequest& request, const std::string& model, Delivery delivery,
                                              MaxTokensField max_tokens_field);

}  // namespace parley::llm
