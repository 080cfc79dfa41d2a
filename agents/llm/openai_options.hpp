// Where an OpenAI-compatible server is and how to talk to it. Pure values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "libmsg/core/backoff.hpp"
#include "libmsg/core/error.hpp"

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
  /// Up to and including the version, for example `http://127.0.0.1:11434/v1`.
  std::string base_url = "https://api.openai.com/v1";
  /// Used when a request names no model.
  std::string model;
  /// Name of the environment variable that holds the key; empty: the server wants none.
  std::string key_variable = "OPENAI_API_KEY";
  OpenAiDialect dialect;

  /// Limit of one call, retries included.
  std::chrono::milliseconds timeout{600'000};
  std::chrono::milliseconds connect_timeout{5'000};
  /// Silence for this long ends an answer. Reasoning models are silent for minutes.
  std::chrono::milliseconds stall_timeout{120'000};
  std::size_t max_response_bytes = std::size_t{16} * 1024 * 1024;

  /// Further attempts after a failure that may pass, as long as no piece of the answer has been handed out.
  std::uint32_t max_retries = 2;
  /// Between attempts when the provider does not say how long to wait.
  BackoffPolicy backoff{.first = std::chrono::milliseconds(500), .max = std::chrono::milliseconds(8'000)};
  /// A provider that asks for a longer wait is given up at once.
  std::chrono::milliseconds max_retry_after{120'000};
};

/// A base URL, checked and taken apart.
struct Endpoint {
  std::string chat_url;  ///< where completions are posted
  std::string host;      ///< with the port when the URL has one; for messages
  bool is_loopback = false;

  /// Fails with `bad_configuration` for what is not an http(s) URL, and for a URL with a password in it.
  static Result<Endpoint> parse(const std::string& base_url);
};

}  // namespace parley::llm
