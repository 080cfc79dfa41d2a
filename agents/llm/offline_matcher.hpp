// The conditions of one rule of the offline model, compiled. Pure; immutable, any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agents/llm/offline_rules.hpp"
#include "agents/text/pattern.hpp"

namespace parley::llm {

/// What the expression of a rule has found: `$0` to `$9`. Empty: the rule has no expression.
using MatchGroups = std::optional<Pattern::Groups>;

/// Replaces `$0` to `$9` and `$$`; without groups the text stays as it is.
[[nodiscard]] std::string expand(std::string_view text, const MatchGroups& groups);

class CompiledPattern {
 public:
  /// Fails with `bad_configuration` for an empty pattern and for what is no expression.
  static Result<CompiledPattern> make(const TextPattern& pattern);

  /// nullopt: the text is not like this. The groups are empty for a pattern that is no expression.
  [[nodiscard]] std::optional<MatchGroups> match(std::string_view text) const;

 private:
  std::string lower_;
  std::optional<Pattern> expression_;  ///< unset: a text that is contained
};

class OfflineMatcher {
 public:
  static Result<OfflineMatcher> make(const OfflineRule& rule);

  /// nullopt: the rule is not for this request.
  [[nodiscard]] std::optional<MatchGroups> match(const OfflineRule& rule, const ChatRequest& request) const;

 private:
  [[nodiscard]] std::optional<MatchGroups> match_tool_results(const OfflineRule& rule,
                                                              const ChatRequest& request) const;

  std::optional<CompiledPattern> user_;
  std::optional<CompiledPattern> tool_result_;
};

}  // namespace parley::llm
