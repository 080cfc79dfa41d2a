// How to talk to Anthropic's Messages API. Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "agents/llm/http_options.hpp"

namespace parley::llm {

struct AnthropicOptions {
  HttpOptions http{.base_url = "https://api.anthropic.com/v1", .key_variable = "ANTHROPIC_API_KEY"};
  /// Used when a request names no model.
  std::string model;
  /// The API wants a limit with every request; used when a request has none.
  std::uint32_t max_tokens = 4096;
  /// Tokens that the model may think with before it answers, beyond max_tokens; 0: it does not.
  std::uint32_t thinking_tokens = 0;
  /// Marks tools, system prompt and history for the provider's prompt cache.
  bool is_prompt_cached = true;
  /// The header `anthropic-beta`: names of features, separated by commas. Empty: none.
  std::string beta;
  /// Further fields of every request, a JSON object. Empty: none.
  std::string extra_body;
};

}  // namespace parley::llm
