#include "services/supervisor/checkups.hpp"

#include <algorithm>

#include "libmsg/core/health.hpp"

namespace parley::supervisor {
namespace {

Checkup checkup_of(const wire::PsPeer& peer) {
  const auto cause = health_cause_from_string(peer.health_cause).value_or(HealthCause::none);
  return {peer.should_restart, cause == HealthCause::silence || cause == HealthCause::gone, peer.health_reason};
}

/// By its pid; a peer that does not tell one, by its name.
bool is_same(const wire::PsPeer& peer, const RunningProcess& process) {
  if (peer.vitals.pid != 0) return static_cast<std::int64_t>(peer.vitals.pid) == process.pid;
  return peer.name == process.name;
}

}  // namespace

std::vector<std::pair<std::string, Checkup>> Checkups::look(const wire::PsReport& report,
                                                            const std::vector<RunningProcess>& processes,
                                                            TimePoint now) {
  std::vector<std::pair<std::string, Checkup>> verdicts;
  for (const RunningProcess& process : processes) {
    const auto peer =
        std::ranges::find_if(report.peers, [&](const wire::PsPeer& candidate) { return is_same(candidate, process); });
    if (peer != report.peers.end()) {
      seen_[process.name] = {process.pid, now, report.shard_epoch, peer->vitals.executing};
      verdicts.emplace_back(process.name, checkup_of(*peer));
      continue;
    }
    const auto sight = seen_.find(process.name);
    // Unknown to this run of the broker: it may still be on its way there.
    const bool is_lost = sight != seen_.end() && sight->second.pid == process.pid &&
                         sight->second.epoch == report.shard_epoch &&
                         (process.is_held || now - sight->second.last >= kAbsence);
    if (is_lost) verdicts.emplace_back(process.name, Checkup{true, true, "the broker has lost it"});
  }
  return verdicts;
}

std::vector<std::string> Checkups::executing_of(const std::string& process) const {
  const auto sight = seen_.find(process);
  return sight == seen_.end() ? std::vector<std::string>{} : sight->second.executing;
}

}  // namespace parley::supervisor
