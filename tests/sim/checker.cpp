#include "tests/sim/checker.hpp"

#include <algorithm>
#include <utility>

namespace parley::sim {

void Checker::fail(std::string what) {
  if (failures_.size() < 5) failures_.push_back(std::move(what));
}

std::string Checker::show(std::uint64_t uid) const {
  const Record& record = records_.at(uid);
  const auto at = std::chrono::duration_cast<milliseconds>(record.created - TimePoint(std::chrono::hours(1)));
  return std::string(wire::to_string(record.kind)) + " #" + std::to_string(uid) + " to " + record.target + " made at " +
         std::to_string(at.count()) + " ms";
}

std::uint64_t Checker::created(wire::Kind kind, std::string_view target) {
  Record& record = records_.emplace_back();
  record.kind = kind;
  record.target = target;
  record.created = schedule_.now();
  return records_.size() - 1;
}

void Checker::answered(std::uint64_t uid, std::string_view outcome) {
  Record& record = records_.at(uid);
  const auto it = outcomes_.find(outcome);
  if (it == outcomes_.end()) {
    outcomes_.emplace(outcome, 1);
  } else {
    it->second++;
  }
  // [P-REQ-1]
  if (++record.outcomes > 1) fail(show(uid) + " has a second outcome: " + std::string(outcome));
}

void Checker::accepted(std::uint64_t uid, std::uint64_t broker_run, std::uint32_t recipients, bool is_exact) {
  Record& record = records_.at(uid);
  record.is_exact = is_exact || record.kind == wire::Kind::send;
  record.accepted_run = broker_run;
  record.recipients = recipients;
  answered(uid, "accepted");
}

void Checker::refused(std::uint64_t uid) {
  Record& record = records_.at(uid);
  record.is_refused = true;
  // [P-ONE-1]
  if (!record.started.empty()) fail(show(uid) + " was refused and yet started on " + record.started.front());
}

void Checker::caller_died(std::uint64_t uid) { records_.at(uid).is_orphan = true; }

// [P-CTR-3] [P-RTE-5]
void Checker::delivered_event(std::string_view topic, std::string_view agent_type, std::uint64_t uid) {
  const std::string_view topic_type = split_id(topic).type;
  const Record& record = records_.at(uid);
  for (const SubscriptionRecord& subscription : subscriptions_) {
    const bool matches =
        subscription.agent_type == agent_type &&
        (subscription.is_prefix ? topic_type.starts_with(subscription.topic) : topic_type == subscription.topic);
    if (matches && subscription.removed >= record.created) return;
  }
  fail(show(uid) + " reached " + std::string(agent_type) + ", which had no subscription when it was published");
}

// [P-ORD-1]
void Checker::check_order(const Body& body, const std::string& agent_id) {
  const auto [last, is_first] = last_sequence_.try_emplace(std::to_string(body.stream) + ">" + agent_id, body.sequence);
  if (is_first) return;
  if (body.sequence <= last->second) {
    fail(show(body.uid) + " started on " + agent_id + " out of order: number " + std::to_string(body.sequence) +
         " after " + std::to_string(last->second));
  }
  last->second = body.sequence;
}

Checker::Starter Checker::started(const Body& body, const std::string& agent_id, const Starter& starter, Turn turn) {
  Record& record = records_.at(body.uid);
  // At most once per recipient: only unsent messages are placed anew. [P-FAIL-3]
  if (std::ranges::find(record.started, agent_id) != record.started.end()) {
    fail(show(body.uid) + " started a second time on " + agent_id);
  }
  if (record.is_refused) fail(show(body.uid) + " started on " + agent_id + " after it was refused");
  record.started.push_back(agent_id);
  if (turn == Turn::first) check_order(body, agent_id);
  const Starter before = std::exchange(last_start_[agent_id], starter);
  // [P-ACT-7]
  if (starter.epoch < before.epoch) {
    fail(show(body.uid) + " started on " + agent_id + " under epoch " + std::to_string(starter.epoch.value()) +
         " after one of " + std::to_string(before.epoch.value()));
  }
  return before;
}

void Checker::handled(std::uint64_t uid) { records_.at(uid).handled++; }

std::size_t Checker::subscribed(SubscriptionRecord subscription) {
  subscriptions_.push_back(std::move(subscription));
  return subscriptions_.size() - 1;
}

void Checker::check_end(std::uint64_t broker_run, const std::vector<wire::DeadLetterRow>& dead_letters) {
  std::unordered_map<std::uint64_t, std::uint32_t> buried;
  for (const auto& row : dead_letters) {
    if (row.payload_type.starts_with("u")) buried[std::stoull(row.payload_type.substr(1))]++;
  }
  for (std::uint64_t uid = 0; uid < records_.size(); ++uid) {
    const Record& record = records_[uid];
    // [P-REQ-1] [P-ONE-1] [P-PEER-4]
    if (record.outcomes == 0 && !record.is_orphan) fail(show(uid) + " has no outcome");
    if (record.accepted_run != broker_run) continue;
    // Accepted by the broker that is still there. [P-ONE-2] [P-ONE-3] [P-ONE-4] [P-FAIL-2]
    const std::uint32_t owed = record.is_exact ? std::max(record.recipients, 1U) : 1U;
    const std::uint32_t dead = buried.contains(uid) ? buried.at(uid) : 0;
    if (record.handled + dead < owed) {
      fail(show(uid) + " was accepted for " + std::to_string(record.recipients) + " and vanished: handled " +
           std::to_string(record.handled) + ", dead letters " + std::to_string(dead));
    }
    if (record.is_exact && dead > owed)
      fail(show(uid) + " has " + std::to_string(dead) + " dead letters for " + std::to_string(owed));
  }
}

}  // namespace parley::sim
