#include "services/supervisor/quarantine_watch.hpp"

#include <algorithm>
#include <utility>

namespace parley::supervisor {
namespace {

Action news(const std::string& event, const std::string& key, const std::string& reason) {
  return {Action::Kind::report, "", key, event, reason};
}

}  // namespace

std::vector<Action> QuarantineWatch::look(const std::vector<wire::PsQuarantine>& listed,
                                          const std::vector<std::string>& own) {
  const auto is_own = [&own](const std::string& key) { return std::ranges::find(own, key) != own.end(); };
  std::map<std::string, std::string> now_listed;
  for (const wire::PsQuarantine& row : listed) now_listed.emplace(row.key, row.reason);
  std::vector<Action> changes;
  for (const auto& [key, reason] : now_listed) {
    if (!known_.contains(key) && !is_own(key)) changes.push_back(news("quarantined", key, reason));
  }
  for (const auto& [key, reason] : known_) {
    if (now_listed.contains(key)) continue;
    // A new run of the broker may not know it yet; if somebody has released it, it is not ours at the next look.
    if (is_own(key)) {
      now_listed.emplace(key, reason);
    } else {
      changes.push_back(news("released", key, ""));
    }
  }
  known_ = std::move(now_listed);
  if (!std::exchange(has_looked_, true)) return {};
  return changes;
}

}  // namespace parley::supervisor
