// How to talk to an OpenAI-compatible server. Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "agents/llm/http_options.hpp"

namespace parley::llm {

/// How the server calls the limit of the answer. Compatible servers mostly know only `max_tokens`; OpenAI's reasoning
/// models refuse it.
enum class MaxTokensField : std::uint8_t { max_tokens, max_completion_tokens };

/// How the server is told to answer with JSON that fits a schema. None can be found out by asking.
enum class StructuredOutput : std::uint8_t {
  json_schema,  ///< by `response_format: json_schema`: OpenAI, vLLM, llama.cpp, Ollama since 0.5
  json_object,  ///< by `response_format: json_object`, with the schema in the system prompt
  prompt,       ///< by the system prompt alone
};

/// Where compatible servers differ in what they take.
struct OpenAiDialect {
  MaxTokensField max_tokens_field = MaxTokensField::max_tokens;
  StructuredOutput structured_output = StructuredOutput::json_schema;
  /// Ask for usage in a stream (`stream_options`); some old servers refuse the field, and usage is estimated then.
  bool has_stream_usage = true;
  /// Further fields of every request, a JSON object: `reasoning_effort`, `top_k`, … Empty: none.
  std::string extra_body = {};
};

struct OpenAiOptions {
  HttpOptions http{.base_url = "https://api.openai.com/v1", .key_variable = "OPENAI_API_KEY"};
  /// Used when a request names no model.
  std::string model;
  OpenAiDialect dialect;
};

}  // namespace parley::llm
