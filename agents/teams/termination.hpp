// When a conversation is over: conditions, combined by `any` and `all`. A condition that was met once stays met until
// reset(), so that the parts of an `all` may come true at different times. Pure; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/text.hpp"

namespace parley::teams {

/// One condition as a configuration states it.
struct Condition {
  enum class Kind : std::uint8_t {
    any,            ///< one of the children
    all,            ///< every child, at whatever time
    messages,       ///< `limit` messages were said
    text,           ///< somebody (of `by`, if that is not empty) said `value`, as a word or phrase of its own
    source,         ///< one of `by` has spoken
    tool_call,      ///< the tool `value` was used
    handoff,        ///< somebody handed over to `value`
    tokens,         ///< `limit` tokens were spent
    input_tokens,   ///< the same, of the input only
    output_tokens,  ///< the same, of the output only
    money,          ///< `limit` billionths of a dollar were spent
    time,           ///< `time` has passed since the task was given
    external,       ///< somebody outside asked for it
    agent,          ///< the agent type `value`, asked after each round, says so
  };
  Kind kind = Kind::any;
  std::string value = {};
  std::vector<std::string> by = {};
  std::uint64_t limit = 0;
  std::chrono::milliseconds time{0};
  std::vector<Condition> children = {};
};

/// Something that a member said, as conditions see it.
struct Utterance {
  std::string_view from;
  std::string_view text;
  std::string_view handoff;
  std::span<const std::string> tools_used;
};

/// Where a conversation stands. Views are of the caller.
struct Progress {
  /// Since the last look.
  std::span<const Utterance> said;
  std::uint64_t messages = 0;
  messages::Usage usage;
  Duration elapsed{};
  std::optional<std::string> stop = std::nullopt;  ///< why somebody outside wants it to end
  /// Reasons of agents that were asked and said yes, by agent type.
  std::map<std::string, std::string> verdicts = {};
};

class Termination {
 public:
  /// Without a root nothing ends the conversation but its limits.
  explicit Termination(std::optional<Condition> root);

  /// Takes note of what was said since the last look; the reason if the whole is met now, for example `text:APPROVE`,
  /// or `text:APPROVE and source:critic` for an `all`.
  [[nodiscard]] std::optional<std::string> look(const Progress& progress);
  void reset();
  /// Agent types to be asked after each round, as long as their condition is not met.
  [[nodiscard]] std::vector<std::string> judges() const;

  /// Reasons met so far, in an order of its own; load() takes it back and fails when it is of other conditions.
  [[nodiscard]] std::vector<std::string> save() const;
  Result<> load(const std::vector<std::string>& reasons);

 private:
  std::string look_at(const Condition& condition, const Progress& progress, std::size_t& index);

  std::optional<Condition> root_;
  std::vector<std::string> met_;  ///< of each condition, in preorder; empty: not yet
};

/// Billionths of a dollar as people read them: `$0.05`.
[[nodiscard]] std::string dollars(std::uint64_t nano_usd);

/// True when `phrase` is in `text` with no letter, digit or `_` right before or after it. Case matters.
[[nodiscard]] bool says(std::string_view text, std::string_view phrase);

}  // namespace parley::teams
