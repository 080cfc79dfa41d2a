// How much of a conversation a model gets to see. A conversation may grow without end, a model's window and a purse do
// not: what does not fit is left out, whole exchanges at a time, so that no tool call loses its results and no result
// its call. The question under way and the newest message are always there. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agents/llm/chat_model.hpp"

namespace parley::kinds {

struct ContextLimits {
  enum class Strategy : std::uint8_t {
    everything,
    last_messages,  ///< the newest `max_messages`
    token_budget,   ///< the newest that fit into `max_tokens`
    head_and_tail,  ///< the first `head` and the last `tail`
    summary,        ///< as token_budget, but older ones are summed up before they are left out
  };
  Strategy strategy = Strategy::everything;
  std::size_t max_messages = 20;
  /// By llm::estimate_tokens(), system prompt and tools included.
  std::uint64_t max_tokens = 8'000;
  std::size_t head = 2;
  std::size_t tail = 10;
  /// What `summary` leaves as it is.
  std::size_t keep_messages = 6;
};

/// What the model is to see.
struct ContextView {
  std::vector<llm::ChatMessage> messages;
  /// How many messages are not among them.
  std::size_t left_out = 0;
};

/// `conversation` without the system prompt, oldest first; `question` is the index of the message that is being
/// answered (what follows are the tool calls for it); `reserved_tokens` is what the request has beside the messages.
/// With head_and_tail, and where the view would begin with an answer, a message stands for what is left out and says
/// how many messages that is.
[[nodiscard]] ContextView fit(std::span<const llm::ChatMessage> conversation, std::size_t question,
                              const ContextLimits& limits, std::uint64_t reserved_tokens);

/// For `summary`: how many of the oldest messages are to be summed up now, so that what stays begins with a message of
/// the user. 0: none, everything fits (or nothing can be done about it).
[[nodiscard]] std::size_t messages_to_fold(std::span<const llm::ChatMessage> conversation, std::size_t question,
                                           const ContextLimits& limits, std::uint64_t reserved_tokens);

/// Tells whether a conversation begins with the same messages as another did.
[[nodiscard]] std::uint64_t digest_of(std::span<const llm::ChatMessage> messages);

/// `3 earlier messages are left out here`, as a message of the user.
[[nodiscard]] llm::ChatMessage left_out_note(std::size_t count);

}  // namespace parley::kinds
