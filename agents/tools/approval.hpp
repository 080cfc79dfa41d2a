// Whether a person must allow a call of a tool, and asking one. Loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agents/text/pattern.hpp"
#include "libmsg/messages/tools.hpp"
#include "libmsg/runtime/context.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::tools {

/// Asks when the pattern is found in one argument's value, or anywhere in the JSON text of all.
struct ApprovalPattern {
  std::string argument;  ///< empty: the JSON text of all arguments
  Pattern pattern;
};

struct ApprovalRule {
  enum class When : std::uint8_t {
    never,
    always,
    matching,  ///< when one of the patterns is found
    unless,    ///< always, unless each of the patterns is found
  };
  When when = When::never;
  std::vector<ApprovalPattern> patterns = {};
  /// How long to wait for a person; nobody's answer is a refusal.
  std::chrono::milliseconds timeout{600'000};

  [[nodiscard]] bool is_needed(const nlohmann::json& arguments) const;
};

struct Approval {
  bool is_granted = false;
  std::string by;      ///< who decided; empty: nobody did
  std::string reason;  ///< of a refusal, for the model
};

/// Asks at the desk of questions (`sys.questions`), waiting as long as the rule says, and tells who watches the turn.
/// Fails with `cancelled` only; without a desk the call is refused.
[[nodiscard]] Task<Result<Approval>> ask_for_approval(const ApprovalRule& rule, const messages::ToolCall& call,
                                                      Context& turn);

}  // namespace parley::tools
