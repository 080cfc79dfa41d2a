#include "broker/core/registry.hpp"

#include <algorithm>

namespace parley::broker {

Hosting* AgentType::hosting_of(std::uint32_t session) {
  const auto it = std::ranges::find(hostings, session, &Hosting::session);
  return it == hostings.end() ? nullptr : &*it;
}

Hosting* AgentType::least_loaded() {
  const auto is_better = [](const Hosting& hosting, const Hosting& best) {
    if (hosting.fitness != best.fitness) return hosting.fitness < best.fitness;
    return std::uint64_t{hosting.activations} * best.capacity < std::uint64_t{best.activations} * hosting.capacity;
  };
  Hosting* best = nullptr;
  for (Hosting& hosting : hostings) {
    if (hosting.is_open && (best == nullptr || is_better(hosting, *best))) best = &hosting;
  }
  return best;
}

AgentType* Registry::find(std::string_view name) {
  const auto it = names_.find(name);
  return it == names_.end() ? nullptr : types_[it->second].get();
}

AgentType& Registry::add_hosting(const wire::TypeRegistration& offer, std::uint32_t session, bool is_open) {
  AgentType* type = find(offer.name);
  if (type == nullptr) {
    std::uint32_t index = static_cast<std::uint32_t>(types_.size());
    if (free_.empty()) {
      types_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    types_[index] = std::make_unique<AgentType>();
    type = types_[index].get();
    type->index = index;
    type->name = offer.name;
    names_.emplace(offer.name, index);
  }
  type->is_retired = false;
  set_capabilities(*type, offer.capabilities);
  Hosting* hosting = type->hosting_of(session);
  if (hosting == nullptr) hosting = &type->hostings.emplace_back();
  hosting->session = session;
  hosting->recipient = offer.index;
  hosting->capacity = std::clamp(offer.capacity, 1U, 1000U);
  hosting->is_open = is_open;
  return *type;
}

bool Registry::remove_hosting(AgentType& type, std::uint32_t session, TimePoint now) {
  if (std::erase_if(type.hostings, [&](const Hosting& hosting) { return hosting.session == session; }) == 0) {
    return false;
  }
  type.last_hosted = now;
  return type.hostings.empty();
}

void Registry::forget(AgentType& type) {
  set_capabilities(type, {});
  names_.erase(type.name);
  const std::uint32_t index = type.index;
  free_.push_back(index);
  types_[index].reset();
}

// The latest registration decides, so that a rolling update can change what a type offers.
void Registry::set_capabilities(AgentType& type, const std::vector<std::string>& capabilities) {
  for (const std::string& capability : type.capabilities) {
    const auto it = capable_.find(capability);
    std::erase(it.value(), type.index);
    if (it->second.empty()) capable_.erase(it);
  }
  type.capabilities = capabilities;
  std::ranges::sort(type.capabilities);
  const auto repeated = std::ranges::unique(type.capabilities);
  type.capabilities.erase(repeated.begin(), repeated.end());
  for (const std::string& capability : type.capabilities) capable_[capability].push_back(type.index);
}

AgentType* Registry::find_capable(std::string_view capability, const Quarantines& quarantines) {
  const auto it = capable_.find(capability);
  if (it == capable_.end()) return nullptr;
  enum class Use : std::uint8_t { none, parked, open };
  AgentType* best = nullptr;
  Use best_use = Use::none;
  for (const std::uint32_t index : it->second) {
    AgentType& type = *types_[index];
    if (!type.is_known()) continue;
    Use use = std::ranges::any_of(type.hostings, &Hosting::is_open) ? Use::open : Use::parked;
    if (quarantines.contains(type.name)) use = Use::none;
    const bool is_better = best == nullptr || use > best_use || (use == best_use && type.inflight < best->inflight);
    if (!is_better) continue;
    best = &type;
    best_use = use;
  }
  return best;
}

std::string Registry::suggestion(std::string_view name) const {
  constexpr std::size_t kMaxDistance = 3;
  constexpr std::size_t kMaxNames = 3;
  std::vector<std::pair<std::size_t, std::string_view>> close;
  for (const auto& [known, index] : names_) {
    if (!types_[index]->is_known()) continue;
    const std::size_t distance = edit_distance(name, known, kMaxDistance + 1);
    if (distance <= kMaxDistance && distance < std::max(name.size(), known.size())) close.emplace_back(distance, known);
  }
  if (close.empty()) return {};
  std::ranges::sort(close);
  close.resize(std::min(close.size(), kMaxNames));
  std::string text = " (did you mean ";
  for (std::size_t i = 0; i < close.size(); i++) {
    if (i > 0) text += i + 1 == close.size() ? " or " : ", ";
    text += "'" + std::string(close[i].second) + "'";
  }
  return text + "?)";
}

std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit) {
  const std::size_t difference = left.size() > right.size() ? left.size() - right.size() : right.size() - left.size();
  if (difference >= limit) return limit;
  std::vector<std::size_t> before;
  std::vector<std::size_t> above(right.size() + 1);
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); j++) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); i++) {
    before = above;
    above = row;
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); j++) {
      const std::size_t changed = left[i - 1] == right[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + changed});
      const bool is_swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (is_swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return std::min(row[right.size()], limit);
}

}  // namespace parley::broker
