// Handing a conversation over, as a model sees it: a tool `transfer_to_NAME` for each member that may take over.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "libmsg/messages/conversation.hpp"

namespace parley::kinds {

struct HandoffTarget {
  std::string name;
  std::string description = {};
  friend bool operator==(const HandoffTarget&, const HandoffTarget&) = default;
};

/// `handoffs:` of an assistant's configuration.
struct HandoffPolicy {
  /// To whomever the conversation allows.
  bool is_any = false;
  std::vector<HandoffTarget> targets = {};
};

/// To whom an assistant may hand over in a direct request: whom its configuration names.
[[nodiscard]] std::vector<HandoffTarget> allowed_handoffs(const HandoffPolicy& policy);
/// In a conversation: of those, whom the conversation allows, and never itself. Descriptions that the configuration
/// leaves out are the members' own.
[[nodiscard]] std::vector<HandoffTarget> allowed_handoffs(const HandoffPolicy& policy,
                                                          const messages::TurnRequest& request);

class HandoffTools {
 public:
  HandoffTools() = default;
  explicit HandoffTools(std::vector<HandoffTarget> targets);

  [[nodiscard]] const std::vector<llm::ToolSpec>& specs() const { return specs_; }
  /// The member behind a tool's name, or null.
  [[nodiscard]] const std::string* target_of(std::string_view tool) const;

 private:
  std::vector<HandoffTarget> targets_;
  std::vector<llm::ToolSpec> specs_;  ///< in the order of targets_
};

/// The `reason` among the arguments of a transfer tool; empty when there is none.
[[nodiscard]] std::string handoff_reason(std::string_view arguments);

}  // namespace parley::kinds
