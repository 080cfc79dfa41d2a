// Who counts conversations: told when one begins and ends, and when a member's turn fails. The defaults do nothing.
// Loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agents/teams/failure_policy.hpp"

namespace parley::teams {

class ConversationObserver {
 public:
  ConversationObserver() = default;
  ConversationObserver(const ConversationObserver&) = delete;
  ConversationObserver& operator=(const ConversationObserver&) = delete;
  virtual ~ConversationObserver() = default;

  virtual void began() {}
  /// Belongs to a began(). `reason` is one of kEndKinds.
  virtual void ended(std::string_view /*reason*/, std::uint64_t /*rounds*/) {}
  /// And this was decided by its policy.
  virtual void member_failed(TurnAttempts::Decision::What /*decided*/) {}
};

/// Why conversations end, as far as machines tell them apart: the names before the colon of TeamAnswer::reason; and
/// `failed` (an error instead of an answer), `cancelled` (by whoever gave the task), `other`.
inline constexpr std::array<std::string_view, 29> kEndKinds{
    "accepted",     "agent",         "answered",         "broadcast",     "done",       "external", "final",
    "graph",        "handoff",       "max_auto_replies", "max_revisions", "max_rounds", "messages", "money",
    "input_tokens", "output_tokens", "repetition",       "sequence",      "skipped",    "source",   "text",
    "time",         "token_budget",  "tokens",           "tool_call",     "vote",       "aborted",  "failed",
    "cancelled"};
inline constexpr std::string_view kOtherEnd = "other";

/// The kind of a TeamAnswer::reason.
[[nodiscard]] std::string_view end_kind(std::string_view reason);

}  // namespace parley::teams
