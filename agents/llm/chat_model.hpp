// What an agent sees of a language model: messages in, one completion out, text in pieces on the way if it wants them.
// `offline` answers from rules without a network, `openai` and `anthropic` talk to servers, `replay` repeats what was
// recorded; decorators (retry, circuit breaker, cap, cache, fallback, budgets) implement the same interface. Loop
// thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/messages/tools.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::llm {

enum class Role : std::uint8_t { system, user, assistant, tool };

struct ChatMessage {
  Role role = Role::user;
  std::string content;
  /// Of an assistant: the tools that it wants used. Each must be followed by a tool message with its id.
  std::vector<messages::ToolCall> tool_calls = {};
  /// Of a tool: which call this is the result of.
  std::string tool_call_id = {};
  /// Of a tool: the call failed, and the content says why.
  bool is_tool_error = false;
  /// Of an assistant: what the provider wants back unchanged with the next request (thinking blocks with their
  /// signatures), as Completion::provider_state gave it. Opaque JSON text; other providers ignore it.
  std::string provider_state = {};
  friend bool operator==(const ChatMessage&, const ChatMessage&) = default;
};

/// A tool as a model sees it.
struct ToolSpec {
  /// `[A-Za-z0-9_-]{1,64}`.
  std::string name;
  std::string description;
  /// JSON Schema text of an object.
  std::string parameters = R"({"type":"object","properties":{}})";
  friend bool operator==(const ToolSpec&, const ToolSpec&) = default;
};

struct ToolChoice {
  enum class Mode : std::uint8_t { automatic, none, required, named };
  Mode mode = Mode::automatic;
  std::string name = {};  ///< for `named`
  friend bool operator==(const ToolChoice&, const ToolChoice&) = default;
};

/// Structured output: the answer's text must be JSON that fits the schema.
struct ResponseSchema {
  std::string name;
  std::string schema;  ///< JSON Schema text
  friend bool operator==(const ResponseSchema&, const ResponseSchema&) = default;
};

/// On whose account a call goes.
struct Caller {
  std::string agent = {};  ///< agent id; empty outside an agent
  std::string conversation = {};
  /// W3C trace context that the call belongs under; empty outside a trace.
  std::string traceparent = {};
  friend bool operator==(const Caller&, const Caller&) = default;
};

struct ChatRequest {
  std::vector<ChatMessage> messages;
  /// Empty: the model that the configuration names.
  std::string model;
  std::optional<double> temperature;
  /// Limit of the answer; unset: the provider's default.
  std::optional<std::uint32_t> max_tokens;
  /// Texts at which the answer ends.
  std::vector<std::string> stop;
  std::vector<ToolSpec> tools;
  ToolChoice tool_choice;
  /// False: one tool call an answer at most.
  bool is_parallel_tool_calls_allowed = true;
  std::optional<ResponseSchema> response_schema;
  Caller caller;
  /// Called whenever something of the answer arrives, text or not: a model that thinks for minutes is not stuck. May be
  /// empty; must stay valid until the call has ended.
  std::function<void()> on_progress = {};
  /// When the caller stops waiting, retries included. The model's own timeout applies as well; the earlier one wins.
  std::optional<TimePoint> deadline;
};

/// `content_filter`: the provider's filter or the model itself refused; the text says so.
enum class FinishReason : std::uint8_t { stop, length, content_filter, tool_calls, unknown };

struct Completion {
  std::string text;
  /// In order; arguments as the model wrote them.
  std::vector<messages::ToolCall> tool_calls = {};
  FinishReason finish_reason = FinishReason::stop;
  /// To be given back in ChatMessage::provider_state.
  std::string provider_state = {};
  /// What the call cost; `usage.model` is the model that answered, as the provider names it.
  messages::Usage usage;
  /// From the call to the end of the answer, waits and retries included.
  Duration latency{};
  /// From the call to the first piece of text; unset when the answer came in one piece.
  std::optional<Duration> time_to_first_chunk;
  /// Why the requests failed that were repeated, in order; empty when the first one was answered.
  std::vector<ErrorCode> failed_attempts;
};

/// A failed call. Converts to Error, so that `fail(completion.error())` answers the agent's caller.
struct ModelError {
  /// Codes: `unauthorized` (key missing or refused), `overloaded` (rate limit), `budget_exceeded` (the account's
  /// quota), `invalid` (the provider refused the request), `too_large`, `unreachable` (no connection),
  /// `upstream_failed` (the provider failed, or its answer broke off or was malformed), `timeout`, `cancelled`.
  Error error;
  /// How long the provider asked to wait.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
  /// What the failed call has cost so far: an estimate of the text received before the stream broke.
  std::optional<messages::Usage> usage = std::nullopt;
  /// Why earlier requests of the same call failed, in order; `error` is the failure of the last one.
  std::vector<ErrorCode> failed_attempts = {};
  /// What another model might do better.
  enum class Kind : std::uint8_t {
    other,
    context_window,  ///< the request is longer than this model reads
    content_policy,  ///< this provider's policy refuses the request
    refused_here,    ///< nobody was asked: the circuit is open, or too many calls wait
  };
  Kind kind = Kind::other;

  operator Error() const& { return error; }         // NOLINT(google-explicit-constructor): it is an error
  operator Error() && { return std::move(error); }  // NOLINT(google-explicit-constructor)
};

/// Takes the pieces of a streamed answer, in order, one at a time: the next piece is not handed out (and, past a bound,
/// not read from the network) before the returned task has completed. The view is valid until then. A failure stops
/// the transfer and becomes the result of the call.
using ChunkSink = std::function<Task<Result<>>(std::string_view piece)>;

class ChatModel {
 public:
  ChatModel() = default;
  ChatModel(const ChatModel&) = delete;
  ChatModel& operator=(const ChatModel&) = delete;
  virtual ~ChatModel() = default;

  /// One completion. With a sink the answer is streamed; without one it arrives whole. Ends in a completion or an
  /// error, at the deadline at the latest. Asio cancellation of the awaiting coroutine (`model.complete(…) || other`)
  /// aborts the transfer at once; the result is then `cancelled`. The model must outlive the call.
  [[nodiscard]] virtual Task<std::expected<Completion, ModelError>> complete(ChatRequest request,
                                                                             ChunkSink on_chunk = {}) = 0;
};

}  // namespace parley::llm
