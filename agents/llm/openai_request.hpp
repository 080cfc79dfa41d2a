// The body of a chat completions request. Pure; any thread.
#pragma once

#include <string>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/openai_options.hpp"
#include "agents/llm/provider_protocol.hpp"

namespace parley::llm {

/// JSON. Text that is not UTF-8 is repaired with replacement characters rather than refused, and so are arguments of
/// past tool calls that are no JSON object (arguments_object()). A schema that is not JSON counts as one for any
/// object.
[[nodiscard]] std::string openai_request_body(const ChatRequest& request, const std::string& model, Delivery delivery,
                                              const OpenAiDialect& dialect);

}  // namespace parley::llm
