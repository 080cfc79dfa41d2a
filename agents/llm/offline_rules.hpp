// The deterministic core of the offline model: rules from what a model would see to what it answers, with text and
// tool calls. Pure; one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

/// The name under which the offline model appears in usage and logs.
inline constexpr std::string_view kOfflineModelName = "offline";

/// What a text must be like. Case does not matter.
struct TextPattern {
  enum class Match : std::uint8_t {
    contains,  ///< the text contains the pattern
    regex,     ///< the pattern, an ECMAScript regular expression without back-references, is found in the text
  };
  Match match = Match::contains;
  std::string pattern;
};

struct OfflineToolCall {
  std::string name;
  /// JSON text of an object.
  std::string arguments = "{}";
};

/// All conditions that are set must hold; at least one must be set.
struct OfflineRule {
  std::optional<TextPattern> user = {};  ///< the last user message
  /// The request ends with results of tools, and one of them is like this.
  std::optional<TextPattern> tool_result = {};
  std::string after_tool = {};  ///< that result is one of this tool
  std::string system = {};      ///< the system prompt contains this
  std::string history = {};     ///< some message other than the system prompt contains this
  /// This is the n-th call of the conversation: one more than the assistant messages that the request shows.
  std::optional<std::uint32_t> call = {};

  /// `$1` to `$9` are the groups of the rule's expression (that of the tool result if both are expressions), `$0` is
  /// what matched and `$$` is a dollar sign. Without an expression a dollar sign is one.
  std::string reply = {};
  /// With groups in their texts as above. A rule whose tools the request does not offer does not match.
  std::vector<OfflineToolCall> tool_calls = {};
  /// The call fails with this code, and `reply` says why.
  std::optional<ErrorCode> error = {};
  /// Unset: those of the options.
  std::optional<std::chrono::milliseconds> latency = {};
  /// Unset: estimated from the texts.
  std::optional<std::uint64_t> input_tokens = {};
  std::optional<std::uint64_t> output_tokens = {};
};

struct OfflineOptions {
  /// The first one that matches wins. A rule that has none of `tool_result`, `after_tool` and `call` is not for
  /// requests that end with the result of a tool: it would ask for its tools again and again.
  std::vector<OfflineRule> rules;
  /// Answers what no rule matches. Not used where the request wants structured output or a tool used: the answer is
  /// then a minimal value that fits the schema.
  std::string default_reply = "I am the offline model and have no rule for this message.";
  /// Starts every reply, so that nobody takes it for a model's; not where the request wants structured output.
  std::string prefix = "[offline] ";
  /// Time until the first piece.
  std::chrono::milliseconds latency{0};
  /// Time between the pieces of a streamed answer.
  std::chrono::milliseconds chunk_interval{0};
  /// Size of the pieces of a streamed answer (a piece never splits a UTF-8 character); 0: one piece.
  std::size_t chunk_bytes = 16;
};

class OfflineMatcher;

class OfflineRules {
 public:
  struct Reply {
    Completion completion;
    std::chrono::milliseconds latency{0};
    std::optional<Error> error;
  };

  /// Fails with `bad_configuration`, naming every rule that is wrong.
  static Result<OfflineRules> make(OfflineOptions options);

  /// The same answer to the same request, the ids of tool calls included. Stop texts and max_tokens shorten it as they
  /// would shorten a model's.
  [[nodiscard]] Reply reply(const ChatRequest& request) const;
  [[nodiscard]] const OfflineOptions& options() const { return options_; }

 private:
  OfflineOptions options_;
  /// One for each rule; shared by the copies, because it never changes.
  std::vector<std::shared_ptr<const OfflineMatcher>> matchers_;
};

/// `text` in pieces of about `chunk_bytes`, none of which splits a UTF-8 character. Views into `text`.
[[nodiscard]] std::vector<std::string_view> split_chunks(std::string_view text, std::size_t chunk_bytes);

}  // namespace parley::llm
