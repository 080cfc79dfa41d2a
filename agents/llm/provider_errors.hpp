// What the failures of model providers mean: of OpenAI-compatible servers and of Anthropic. Pure; any thread.
// Source: the error catalogues of platform.openai.com/docs/guides/error-codes and docs.anthropic.com/en/api/errors, and
// the retry rules of openai-python and anthropic-sdk-python.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

/// Who was asked; every message names it.
struct CallSite {
  std::string host;
  std::string model;
  std::string key_variable;

  /// `model 'gpt-x' at api.openai.com`
  [[nodiscard]] std::string str() const { return "model '" + model + "' at " + host; }
};

/// The parts of an HTTP answer that say what went wrong.
struct HttpFailure {
  int status = 0;
  std::string_view body = {};
  std::string_view retry_after = {};     ///< the header: seconds or an HTTP date
  std::string_view retry_after_ms = {};  ///< the header
  std::string_view should_retry = {};    ///< the header x-should-retry
  std::string_view request_id = {};      ///< the header x-request-id or request-id
};

/// The failure of an answer whose status is not 200. `now` turns a Retry-After date into a delay.
[[nodiscard]] ModelError error_of_status(const HttpFailure& failure, const CallSite& site, WallTime now);

/// The failure of an `{"error": …}` that arrives in a stream; the status was 200.
[[nodiscard]] ModelError error_of_stream(const nlohmann::json& event, const CallSite& site);

/// The delay that the headers ask for: milliseconds first, then seconds, then a date. A moment in the past is 0.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view milliseconds,
                                                                         std::string_view seconds_or_date,
                                                                         WallTime now);

}  // namespace parley::llm
