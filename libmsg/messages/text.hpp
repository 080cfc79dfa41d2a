// The payloads that agents of all languages share. PROTOCOL.md §Shared messages documents them field by field.
#pragma once

#include <cstdint>
#include <msgpack.hpp>
#include <string>
#include <string_view>

namespace parley::messages {

/// A piece of conversation.
struct Text {
  static constexpr std::string_view kTypeName = "parley.Text";
  std::string text;
  /// Who says it, for people: an agent id or a user name; may be empty.
  std::string from;
  MSGPACK_DEFINE_MAP(text, from)
  friend bool operator==(const Text&, const Text&) = default;
};

/// Tokens that one model call cost. Cached and reasoning tokens are part of the totals.
struct Usage {
  static constexpr std::string_view kTypeName = "parley.Usage";
  std::string model;
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t cached_input_tokens = 0;
  std::uint64_t reasoning_tokens = 0;
  /// The provider did not say; the numbers are an estimate.
  bool is_estimated = false;
  MSGPACK_DEFINE_MAP(model, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, is_estimated)
  friend bool operator==(const Usage&, const Usage&) = default;
};

/// An agent's answer to a Text.
struct Answer {
  static constexpr std::string_view kTypeName = "parley.Answer";
  std::string text;
  std::string from;
  /// True when this answer ends the conversation.
  bool is_final = false;
  Usage usage;
  MSGPACK_DEFINE_MAP(text, from, is_final, usage)
  friend bool operator==(const Answer&, const Answer&) = default;
};

/// A streamed piece of an answer's text; the concatenation of all pieces is the answer's text.
struct TextPart {
  static constexpr std::string_view kTypeName = "parley.TextPart";
  std::string text;
  std::string from;
  MSGPACK_DEFINE_MAP(text, from)
  friend bool operator==(const TextPart&, const TextPart&) = default;
};

/// A semantic router's decision.
struct Routed {
  static constexpr std::string_view kTypeName = "parley.Routed";
  /// Agent type to talk to; empty when the intent is unknown, and then `question` asks the user.
  std::string agent_type;
  std::string route;     ///< name of the matched route, for people
  std::string question;  ///< what to ask the user when no route matched
  MSGPACK_DEFINE_MAP(agent_type, route, question)
  friend bool operator==(const Routed&, const Routed&) = default;
};

}  // namespace parley::messages
