// The payloads that agents of all languages share. PROTOCOL.md §Shared messages documents them field by field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/wire/fields.hpp"

namespace parley::messages {

/// A piece of conversation.
struct Text {
  static constexpr std::string_view kTypeName = "parley.Text";
  std::string text;
  /// Who says it, for people: an agent id or a user name; may be empty.
  std::string from;
  PARLEY_FIELDS(text, from)
  friend bool operator==(const Text&, const Text&) = default;
};

/// Tokens and money that one model call cost, or a sum of calls. Cached and reasoning tokens are part of the totals.
struct Usage {
  static constexpr std::string_view kTypeName = "parley.Usage";
  std::string model;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t cached_input_tokens = 0;
  std::uint64_t reasoning_tokens = 0;
  /// Written to the provider's cache; part of input_tokens.
  std::uint64_t cache_write_tokens = 0;
  /// The provider did not say; the numbers are an estimate.
  bool is_estimated = false;
  /// By the price of the configuration; 0 when there is none.
  std::uint64_t cost_nano_usd = 0;
  PARLEY_FIELDS(model, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, cache_write_tokens,
                is_estimated, cost_nano_usd)

  /// For sums: `model` stays that of the first one, or becomes empty when they differ.
  Usage& operator+=(const Usage& more) {
    const bool is_nothing = input_tokens == 0 && output_tokens == 0 && cost_nano_usd == 0;
    if (is_nothing && model.empty()) {
      model = more.model;
    } else if (model != more.model) {
      model.clear();
    }
    input_tokens += more.input_tokens;
    output_tokens += more.output_tokens;
    cached_input_tokens += more.cached_input_tokens;
    reasoning_tokens += more.reasoning_tokens;
    cache_write_tokens += more.cache_write_tokens;
    is_estimated = is_estimated || more.is_estimated;
    cost_nano_usd += more.cost_nano_usd;
    return *this;
  }
  friend bool operator==(const Usage&, const Usage&) = default;
};

/// An agent's answer to a Text.
struct Answer {
  static constexpr std::string_view kTypeName = "parley.Answer";
  std::string text;
  std::string from;
  /// True when this answer ends the conversation.
  bool is_final = false;
  /// Everything that the answer cost: all model calls of the turn, for a team those of all its members.
  Usage usage;
  /// The member of the conversation to whom the speaker hands over; empty: to nobody in particular.
  std::string handoff;
  /// Names of the tools that were used on the way, in order.
  std::vector<std::string> tools_used;
  /// Why a conversation ended, for a team's answer: `max_rounds`, `text:APPROVE`, … Why an assistant's answer is less
  /// than was asked for: `max_tool_rounds`, `budget_exceeded`, `max_tokens`, `content_filter`. Empty otherwise.
  std::string stop_reason;
  PARLEY_FIELDS(text, from, is_final, usage, handoff, tools_used, stop_reason)
  friend bool operator==(const Answer&, const Answer&) = default;
};

/// A streamed piece of an answer's text; the concatenation of all pieces is the answer's text. An assistant may speak
/// before it uses tools: its answer is what follows the last `tool_result` of its TeamEvents.
struct TextPart {
  static constexpr std::string_view kTypeName = "parley.TextPart";
  std::string text;
  std::string from;
  PARLEY_FIELDS(text, from)
  friend bool operator==(const TextPart&, const TextPart&) = default;
};

/// A semantic router's decision.
struct Routed {
  static constexpr std::string_view kTypeName = "parley.Routed";
  /// Agent type to talk to; empty when the intent is unknown, and then `question` asks the user.
  std::string agent_type;
  std::string route;     ///< name of the matched route, for people
  std::string question;  ///< what to ask the user when no route matched
  PARLEY_FIELDS(agent_type, route, question)
  friend bool operator==(const Routed&, const Routed&) = default;
};

}  // namespace parley::messages
