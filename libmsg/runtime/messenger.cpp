#include "libmsg/runtime/messenger.hpp"

namespace parley {

Result<Target> Target::parse(std::string_view text) {
  if (text.starts_with('@')) {
    const SplitId parts = split_id(text.substr(1));
    const bool has_key = text.contains('/');
    if (!is_valid_agent_type(parts.type) || (has_key && !is_valid_agent_key(parts.key))) {
      return fail(ErrorCode::invalid, "target '" + std::string(text.substr(0, 60)) +
                                          "' must be @capability or @capability/key, the capability of [A-Za-z0-9_.-]");
    }
    return Target(std::string(text));
  }
  Result<AgentId> id = AgentId::parse(text);
  if (!id) return fail(std::move(id).error());
  return Target(*id);
}

}  // namespace parley
