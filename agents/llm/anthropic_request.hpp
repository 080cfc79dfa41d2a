// The body of a Messages API request. Pure; any thread.
// Source: docs.anthropic.com/en/api/messages and the types of anthropic-sdk-python.
#pragma once

#include <string>

#include "agents/llm/anthropic_options.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/llm/provider_protocol.hpp"

namespace parley::llm {

/// The name of the tool by whose arguments the model gives its structured answer: the schema's, unless a tool of the
/// request has it. Empty when the request wants no structured answer.
[[nodiscard]] std::string answer_tool_name(const ChatRequest& request);

/// JSON. System messages become the top-level prompt; consecutive messages of one side become one, results of tools
/// first; thinking comes back as the provider sent it (ChatMessage::provider_state). Text that is not UTF-8 is
/// repaired.
[[nodiscard]] std::string anthropic_request_body(const ChatRequest& request, const std::string& model,
                                                 Delivery delivery, const AnthropicOptions& options);

}  // namespace parley::llm
