// What differs between the HTTP interfaces of model providers: where and how a request is posted, and how the bytes of
// an answer become a completion. HttpModel does the rest. Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/provider_errors.hpp"

namespace parley::llm {

/// How the answer is to arrive.
enum class Delivery : std::uint8_t { whole, streamed };

/// Puts one answer together. Made for one attempt.
class AnswerReader {
 public:
  AnswerReader() = default;
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;
  virtual ~AnswerReader() = default;

  /// The data of one event of a stream. Returns the text that it adds. Fails with what an error in it says, and with
  /// `upstream_failed` for what is not of the protocol.
  [[nodiscard]] virtual std::expected<std::string, ModelError> add(std::string_view data) = 0;
  /// The answer that was not streamed; like add(), and nothing follows.
  [[nodiscard]] virtual std::expected<std::string, ModelError> add_whole(std::string_view body) = 0;

  /// Nothing follows: the stream said so.
  [[nodiscard]] virtual bool is_done() const = 0;
  /// The answer may end here without being cut off.
  [[nodiscard]] virtual bool is_complete() const = 0;
  /// Of text, so far.
  [[nodiscard]] virtual std::size_t text_bytes() const = 0;

  /// The completion; fails with `upstream_failed` when the answer was cut off or never began.
  [[nodiscard]] virtual std::expected<Completion, ModelError> finish() const = 0;
  /// The given failure and what the answer has cost so far.
  [[nodiscard]] virtual ModelError with_usage(ModelError error) const = 0;
};

/// What a request becomes.
struct ProviderCall {
  CallSite site;
  std::string body;
  /// What the request costs if the provider does not say.
  std::uint64_t estimated_input = 0;
  /// Begins the ids of tool calls that come without one.
  std::string fallback_call_id;
  /// The tool whose arguments are the structured answer; empty: none. For providers without another way.
  std::string answer_tool;
};

class ProviderProtocol {
 public:
  ProviderProtocol() = default;
  ProviderProtocol(const ProviderProtocol&) = delete;
  ProviderProtocol& operator=(const ProviderProtocol&) = delete;
  virtual ~ProviderProtocol() = default;

  /// The body, `site` and `answer_tool`; the rest is filled in by the caller.
  [[nodiscard]] virtual ProviderCall prepare(const ChatRequest& request, Delivery delivery) const = 0;
  /// `Name: value`, the one with the key included.
  [[nodiscard]] virtual std::vector<std::string> headers(const std::string& key) const = 0;
  [[nodiscard]] virtual std::unique_ptr<AnswerReader> reader(const ProviderCall& call) const = 0;
};

}  // namespace parley::llm
