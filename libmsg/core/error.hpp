// The one catalogue of failures. Every error that crosses a module, process or wire boundary is one of these
// codes; the numbers are part of the wire protocol (PROTOCOL.md §Errors) and never change meaning.
// Pure values: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley {

/// What went wrong. Each value says when a user meets it.
enum class ErrorCode : std::uint16_t {
  /// The request named an agent type that nobody has ever registered here.
  unknown_agent_type = 1,
  /// A message could not be brought to its target although the type is known.
  undeliverable = 2,
  /// The deadline passed before a reply arrived.
  timeout = 3,
  /// The caller, or the caller's caller, cancelled the request.
  cancelled = 4,
  /// The agent's handler threw or returned a failure of its own.
  handler_failed = 5,
  /// The agent exists but has no handler for this message type.
  no_handler = 6,
  /// A queue on the way is full; try again after a pause.
  overloaded = 7,
  /// The sender may not do this, for example speak for an agent type of another worker.
  unauthorized = 8,
  /// A spending limit refused the call.
  budget_exceeded = 9,
  /// The message or its payload is malformed, or a field is out of range.
  invalid = 10,
  /// The message is larger than the announced limit.
  too_large = 11,
  /// The worker that had the message is gone; whether it acted is unknown.
  worker_lost = 12,
  /// The call chain leads back to an agent that waits for it.
  deadlock = 13,
  /// The process is stopping and takes no new work.
  shutting_down = 14,
  /// The link to the broker broke while the request was under way; the outcome is unknown.
  broker_lost = 15,
  /// The agent could not be created: its factory or its activation failed.
  activation_failed = 16,
  /// An interceptor dropped or refused the message.
  refused = 17,
  /// An upstream service (a model, a tool) failed.
  upstream_failed = 18,
  /// No broker answered in time.
  unreachable = 19,
  /// A configuration is wrong; the process does not start with it.
  bad_configuration = 20,
  /// The handler finished without sending the reply that the caller waits for.
  no_reply = 21,
  /// An event had no subscriber (dead letters only; publishing it succeeds).
  no_subscriber = 22,
  /// A person or the supervisor has taken the agent out of service; it answers again after its release.
  quarantined = 23,
};

/// The stable name of a code, for example `unknown_agent_type`; `error_N` for a number from a newer peer.
[[nodiscard]] std::string to_string(ErrorCode code);

/// The code of a stable name; nullopt for an unknown name.
[[nodiscard]] std::optional<ErrorCode> error_code_from_string(std::string_view name);

/// Every code of the catalogue, in numeric order (for documents, metrics and tests).
[[nodiscard]] std::span<const ErrorCode> all_error_codes();

/// True when the same request may succeed later without a change (overloaded, timeout of a park, lost links, …).
[[nodiscard]] bool is_retryable(ErrorCode code);

/// Facts about a failure that a program can act on, as name and value, in order. They reach the caller with the error
/// (PROTOCOL.md §Errors), so they are few and short: kMaxErrorDetails of kMaxErrorDetailBytes together.
using ErrorDetails = std::vector<std::pair<std::string, std::string>>;
inline constexpr std::size_t kMaxErrorDetails = 16;
inline constexpr std::size_t kMaxErrorDetailBytes = 4096;

/// One failure: a code, a message for a person (what happened, where, what to try), and whether a retry can help.
struct Error {
  ErrorCode code = ErrorCode::invalid;
  bool retryable = false;
  std::string message;
  /// For programs; most failures have none.
  ErrorDetails details;

  Error() = default;
  Error(ErrorCode error_code, std::string text)
      : code(error_code), retryable(is_retryable(error_code)), message(std::move(text)) {}
  Error(ErrorCode error_code, std::string text, bool can_retry)
      : code(error_code), retryable(can_retry), message(std::move(text)) {}

  /// The value of one detail, or an empty text.
  [[nodiscard]] std::string_view detail(std::string_view name) const;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// Shorthand for returning a failure: `return fail(ErrorCode::invalid, "…");`
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error(code, std::move(message)));
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace parley
