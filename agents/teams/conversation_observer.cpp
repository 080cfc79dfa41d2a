#include "agents/teams/conversation_observer.hpp"

#include <algorithm>

namespace parley::teams {

std::string_view end_kind(std::string_view reason) {
  const std::string_view name = reason.substr(0, reason.find(':'));
  const auto* const known = std::ranges::find(kEndKinds, name);
  return known == kEndKinds.end() ? kOtherEnd : *known;
}

}  // namespace parley::teams
