#include "services/supervisor/checkups.hpp"

#include <algorithm>

#include "libmsg/core/health.hpp"

namespace parley::supervisor {
namespace {

Checkup checkup_of(const wire::PsPeer& peer) {
  const auto cause = health_cause_from_string(peer.health_cause).value_or(HealthCause::none);
  return {peer.should_restart, cause == HealthCause::silence || cause == HealthCause::gone, peer.health_reason};
}

/// By its pid; where there is none on one side, by its name.
bool is_same(const wire::PsPeer& peer, const RunningProcess& process) {
  if (peer.vitals.pid != 0 && process.pid != 0) return static_cast<std::int64_t>(peer.vitals.pid) == process.pid;
  return peer.name == (process.peer.empty() ? process.name : process.peer);
}

}  // namespace

std::vector<std::pair<std::string, Checkup>> Checkups::look(const wire::PsReport& report,
                                                            const std::vector<RunningProcess>& processes,
                                                            TimePoint now) {
  hear_of_losses(report);
  std::vector<std::pair<std::string, Checkup>> verdicts;
  for (const RunningProcess& process : processes) {
    const auto peer =
        std::ranges::find_if(report.peers, [&](const wire::PsPeer& candidate) { return is_same(candidate, process); });
    if (peer != report.peers.end()) {
      Checkup checkup = checkup_of(*peer);
      const bool is_talking = checkup.should_restart && !checkup.is_silent;
      seen_[process.name] = {process.pid, now, report.shard_epoch, peer->incarnation, peer->vitals.executing,
                             is_talking};
      missed_.erase(process.name);
      verdicts.emplace_back(process.name, std::move(checkup));
    } else if (is_lost(process, report.shard_epoch, now)) {
      verdicts.emplace_back(process.name, Checkup{true, true, "the broker has lost it"});
    }
  }
  return verdicts;
}

void Checkups::hear_of_losses(const wire::PsReport& report) {
  for (Inquest& inquest : inquests_) {
    const auto loss = std::ranges::find_if(report.losses, [&](const auto& each) { return is_about(each, inquest); });
    if (loss == report.losses.end()) continue;
    // What the heartbeat had named may have been over by then.
    inquest.executing = loss->executing;
    inquest.is_settled = true;
  }
}

bool Checkups::is_lost(const RunningProcess& process, std::uint64_t epoch, TimePoint now) {
  // It cannot come back by itself, whether or not this run of the broker ever saw it.
  if (process.is_held) return true;
  const auto sight = seen_.find(process.name);
  if (sight != seen_.end() && sight->second.pid == process.pid && sight->second.epoch == epoch) {
    return now - sight->second.last >= absence_;
  }
  // Unknown to this run of the broker: it may still be on its way there, but not for ever.
  const Miss first{process.pid, epoch, now};
  Miss& miss = missed_.try_emplace(process.name, first).first->second;
  if (miss.pid != process.pid || miss.epoch != epoch) miss = first;
  return now - miss.since >= kPatience;
}

/// By its incarnation; one that the broker's `ps` never showed, by its pid.
bool Checkups::is_about(const wire::PsLoss& loss, const Inquest& inquest) {
  if (inquest.is_settled) return false;
  if (inquest.incarnation != 0) return loss.incarnation == inquest.incarnation;
  return inquest.pid != 0 && static_cast<std::int64_t>(loss.pid) == inquest.pid;
}

void Checkups::inquire(const std::string& process, std::int64_t pid, TimePoint now, Witness witness) {
  Inquest& inquest = inquests_.emplace_back(Inquest{.process = process, .pid = pid, .until = now + kInquestTime});
  const auto sight = seen_.find(process);
  if (sight == seen_.end()) return;
  inquest.incarnation = sight->second.incarnation;
  if (witness == Witness::broker_only) return;
  inquest.executing = sight->second.executing;
  // A sick worker's heartbeats say what hangs; the broker only knows what else had been sent there.
  inquest.is_settled = sight->second.is_sick;
}

std::vector<Checkups::Finding> Checkups::findings(TimePoint now) {
  std::vector<Finding> findings;
  std::erase_if(inquests_, [&](Inquest& inquest) {
    if (!inquest.is_settled && now < inquest.until) return false;
    findings.push_back({inquest.process, std::move(inquest.executing)});
    return true;
  });
  return findings;
}

}  // namespace parley::supervisor
