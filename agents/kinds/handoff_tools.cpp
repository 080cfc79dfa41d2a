#include "agents/kinds/handoff_tools.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "agents/llm/json_text.hpp"

namespace parley::kinds {
namespace {

using messages::Member;
using messages::TurnRequest;

constexpr std::string_view kTransferPrefix = "transfer_to_";
constexpr std::size_t kMaxTransferName = 64;

constexpr std::string_view kTransferParameters =
    R"({"type":"object","properties":{"reason":{"type":"string","description":"What the other one needs to know: )"
    R"(what is asked for, what is known and done so far."}},"additionalProperties":false})";

/// Members' names may have characters that tools' names must not have.
std::string transfer_name(std::string_view member) {
  std::string name(kTransferPrefix);
  for (const char letter : member) {
    const bool is_allowed = std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' || letter == '-';
    name += is_allowed ? letter : '_';
  }
  name.resize(std::min(name.size(), kMaxTransferName));
  return name;
}

}  // namespace

std::vector<HandoffTarget> allowed_handoffs(const HandoffPolicy& policy) { return policy.targets; }

std::vector<HandoffTarget> allowed_handoffs(const HandoffPolicy& policy, const TurnRequest& request) {
  std::vector<HandoffTarget> allowed;
  for (const std::string& name : request.handoffs) {
    if (name == request.name || std::ranges::find(allowed, name, &HandoffTarget::name) != allowed.end()) continue;
    const auto configured = std::ranges::find(policy.targets, name, &HandoffTarget::name);
    if (configured == policy.targets.end() && !policy.is_any) continue;
    HandoffTarget target = configured == policy.targets.end() ? HandoffTarget{name} : *configured;
    const auto member = std::ranges::find(request.members, name, &Member::name);
    if (target.description.empty() && member != request.members.end()) target.description = member->description;
    allowed.push_back(std::move(target));
  }
  return allowed;
}

HandoffTools::HandoffTools(std::vector<HandoffTarget> targets) : targets_(std::move(targets)) {
  for (const HandoffTarget& target : targets_) {
    std::string name = transfer_name(target.name);
    for (std::size_t n = 2; std::ranges::find(specs_, name, &llm::ToolSpec::name) != specs_.end(); ++n) {
      const std::string suffix = "_" + std::to_string(n);
      name = transfer_name(target.name);
      name.resize(std::min(name.size(), kMaxTransferName - suffix.size()));
      name += suffix;
    }
    std::string description = "Hands the conversation over to " + target.name;
    description += target.description.empty() ? "." : ": " + target.description;
    specs_.push_back({std::move(name), std::move(description), std::string(kTransferParameters)});
  }
}

const std::string* HandoffTools::target_of(std::string_view tool) const {
  const auto found = std::ranges::find(specs_, tool, &llm::ToolSpec::name);
  if (found == specs_.end()) return nullptr;
  return &targets_[static_cast<std::size_t>(found - specs_.begin())].name;
}

std::string handoff_reason(std::string_view arguments) {
  const std::optional<nlohmann::json> parsed = llm::parse_json(arguments);
  return parsed ? std::string(llm::text_member(*parsed, "reason")) : std::string();
}

}  // namespace parley::kinds
