// The deterministic core of the offline model: rules from pattern to reply. Pure; one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

/// The name under which the offline model appears in usage and logs.
inline constexpr std::string_view kOfflineModelName = "offline";

struct OfflineRule {
  enum class Match : std::uint8_t {
    contains,  ///< the text contains the pattern
    regex,     ///< the pattern, an ECMAScript regular expression without back-references, is found in the text
  };
  Match match = Match::contains;
  /// Case does not matter.
  std::string pattern;
  /// With an expression `$1` to `$9` are its groups, `$0` is what matched and `$$` is a dollar sign.
  std::string reply;
  /// Unset: those of the options.
  std::optional<std::chrono::milliseconds> latency;
  /// Unset: estimated from the texts.
  std::optional<std::uint64_t> input_tokens;
  std::optional<std::uint64_t> output_tokens;
};

struct OfflineOptions {
  /// The first one that matches the last user message wins.
  std::vector<OfflineRule> rules;
  /// Answers what no rule matches.
  std::string default_reply = "I am the offline model and have no rule for this message.";
  /// Starts every reply, so that nobody takes it for a model's.
  std::string prefix = "[offline] ";
  /// Time until the first piece.
  std::chrono::milliseconds latency{0};
  /// Time between the pieces of a streamed answer.
  std::chrono::milliseconds chunk_interval{0};
  /// Size of the pieces of a streamed answer (a piece never splits a UTF-8 character); 0: one piece.
  std::size_t chunk_bytes = 16;
};

class OfflineRules {
 public:
  /// Expressions look at this much of a message: the worst of them take quadratic time.
  static constexpr std::size_t kMaxMatchedBytes = 1024;

  struct Reply {
    Completion completion;
    std::chrono::milliseconds latency{0};
  };

  /// Fails with `bad_configuration`, naming every rule whose expression is wrong.
  static Result<OfflineRules> make(OfflineOptions options);

  /// The answer to the last user message. Stop texts and max_tokens shorten it as they would shorten a model's.
  [[nodiscard]] Reply reply(const ChatRequest& request) const;
  [[nodiscard]] const OfflineOptions& options() const { return options_; }

 private:
  struct CompiledRule {
    OfflineRule rule;
    std::string lower_pattern;
    std::regex expression;
  };

  [[nodiscard]] static std::optional<std::string> apply(const CompiledRule& rule, std::string_view text);

  OfflineOptions options_;
  std::vector<CompiledRule> rules_;
};

/// `text` in pieces of about `chunk_bytes`, none of which splits a UTF-8 character. Views into `text`.
[[nodiscard]] std::vector<std::string_view> split_chunks(std::string_view text, std::size_t chunk_bytes);

}  // namespace parley::llm
