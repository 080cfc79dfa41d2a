// Asks a person from within a turn, and waits: the question stands at the desk (`sys.questions`) until somebody answers
// it, from any process (`parley ask`), or until its time is over. Loop thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "libmsg/messages/questions.hpp"
#include "libmsg/runtime/context.hpp"

namespace parley::people {

/// What an approval is asked with: the answers, and the one that allows it.
inline constexpr std::string_view kApprove = "approve";
inline constexpr std::string_view kReject = "reject";

struct Question {
  std::string text;
  /// `input` or `approval`.
  std::string kind = "input";
  /// Empty: any text.
  std::vector<std::string> choices = {};
  std::chrono::milliseconds timeout{std::chrono::minutes(10)};
  /// What counts when nobody answers in time. Without one that is a failure, `timeout`.
  std::optional<std::string> default_answer = std::nullopt;
  /// Under which id it stands at the desk: an agent key. Empty: a new one. Whoever asks again under an id that has been
  /// answered gets that answer, so an id must stand for one question only.
  std::string id = {};
};

/// Whether something may be done: choices approve and reject; nobody's answer is a rejection.
[[nodiscard]] Question approval(std::string text, std::chrono::milliseconds timeout);

/// How long ask_person() waits for a question with this timeout: no longer than the handled request has left, less a
/// moment for what is done with the answer. Not below zero.
[[nodiscard]] std::chrono::milliseconds patience(const Context& context, std::chrono::milliseconds timeout);

/// Puts the question up and waits for its answer. A desk that is lost on the way gets it again under the same id. The
/// time is cut to what the handled request has left, so that the default answer is still of use. Fails with `timeout`,
/// `cancelled` (the turn was), `overloaded`, `invalid`, and `unknown_agent_type` when no worker hosts a question desk.
Task<Result<messages::Answered>> ask_person(Context& context, Question question);

}  // namespace parley::people
