#include "services/supervisor/quarantine_watch.hpp"

#include <algorithm>

#include "libmsg/messages/supervisor.hpp"

namespace parley::supervisor {

std::vector<QuarantineWatch::Change> QuarantineWatch::look(const wire::PsReport& report,
                                                           const std::vector<std::string>& own) {
  const auto is_own = [&own](const std::string& key) { return std::ranges::find(own, key) != own.end(); };
  std::map<std::string, wire::PsQuarantine> now_listed;
  for (const wire::PsQuarantine& row : report.quarantines) now_listed.emplace(row.key, row);
  std::vector<Change> changes;
  for (const auto& [key, row] : now_listed) {
    if (!known_.contains(key) && !is_own(key)) changes.push_back(change("quarantined", row, report));
  }
  for (const auto& [key, row] : known_) {
    if (now_listed.contains(key)) continue;
    // A new run of the broker may not know it yet; if somebody has released it, it is not ours at the next look.
    if (is_own(key)) {
      now_listed.emplace(key, row);
    } else {
      changes.push_back(change("released", row, report));
    }
  }
  known_ = std::move(now_listed);
  if (!std::exchange(has_looked_, true)) return {};
  return changes;
}

QuarantineWatch::Change QuarantineWatch::change(std::string event, const wire::PsQuarantine& row,
                                                const wire::PsReport& report) const {
  std::string teller = self_;
  for (const wire::PsPeer& peer : report.peers) {
    if (std::ranges::find(peer.types, messages::kSupervisorType) == peer.types.end()) continue;
    if (peer.name == row.by) {
      teller = row.by;
      break;
    }
    teller = std::min(teller, peer.name);
  }
  std::string reason = event == "quarantined" ? row.reason : "";
  return {{Action::Kind::report, "", row.key, std::move(event), std::move(reason)}, teller == self_};
}

}  // namespace parley::supervisor
