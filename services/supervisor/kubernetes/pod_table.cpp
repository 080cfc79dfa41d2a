#include "services/supervisor/kubernetes/pod_table.hpp"

#include <algorithm>
#include <set>
#include <spdlog/fmt/fmt.h>

namespace parley::supervisor {
namespace {

using Kind = SlotEvent::Kind;

const ProcessEnd kDeleted{ProcessEnd::Kind::exited, 0, "its pod was deleted"};

}  // namespace

std::vector<SlotEvent> PodTable::update(const Pod& pod, TimePoint now) {
  std::vector<SlotEvent> events;
  const bool is_leaving = pod.is_deleting || pod.is_over;
  auto known = slot_of_uid_.find(pod.uid);
  if (known == slot_of_uid_.end()) {
    if (is_leaving) return events;
    const std::string slot = place(pod, events);
    // A pod of the same name whose end nobody has seen.
    if (slots_.at(slot).pod) vacate(slot, kDeleted, now, events);
    known = slot_of_uid_.emplace(pod.uid, slot).first;
    Pod fresh = pod;
    fresh.is_running = fresh.is_ready = false;
    slots_.at(slot).pod = std::move(fresh);
  }
  const std::string slot = known->second;
  std::optional<Pod>& entry = slots_.at(slot).pod;
  tell_changes(slot, *entry, pod, events);
  *entry = pod;
  if (is_leaving) vacate(slot, pod.is_deleting ? kDeleted : pod.last_end.value_or(kDeleted), now, events);
  return events;
}

/// The slot that waits for such a pod, or a new one.
std::string PodTable::place(const Pod& pod, std::vector<SlotEvent>& events) {
  std::string slot = pod.name;
  for (std::size_t number = 0; !pod.has_stable_name; ++number) {
    slot = fmt::format("{}.{}", pod.workload, number);
    const auto found = slots_.find(slot);
    if (found == slots_.end() || !found->second.pod) break;
  }
  if (slots_.try_emplace(slot, Slot{pod.workload, std::nullopt, {}}).second) events.push_back({Kind::added, slot});
  return slot;
}

void PodTable::tell_changes(const std::string& slot, const Pod& before, const Pod& after,
                            std::vector<SlotEvent>& events) {
  const bool has_restarted = after.restarts > before.restarts;
  const bool has_ended = before.is_running && (!after.is_running || has_restarted);
  if (has_ended) events.push_back({Kind::ended, slot, after.last_end.value_or(ProcessEnd{})});
  const bool has_started = after.is_running && (!before.is_running || has_ended);
  if (has_started) events.push_back({Kind::started, slot});
  if (after.is_running && after.is_ready && (has_started || !before.is_ready)) events.push_back({Kind::ready, slot});
}

void PodTable::vacate(const std::string& slot, const ProcessEnd& end, TimePoint now, std::vector<SlotEvent>& events) {
  Slot& place = slots_.at(slot);
  // Its end was told when the container stopped; the pod only follows.
  if (place.pod->is_running) events.push_back({Kind::ended, slot, end});
  slot_of_uid_.erase(place.pod->uid);
  place.pod.reset();
  place.empty_since = now;
}

std::vector<SlotEvent> PodTable::remove(const std::string& uid, TimePoint now) {
  std::vector<SlotEvent> events;
  if (const auto known = slot_of_uid_.find(uid); known != slot_of_uid_.end()) {
    const std::string slot = known->second;
    vacate(slot, kDeleted, now, events);
  }
  return events;
}

std::vector<SlotEvent> PodTable::replace(const std::vector<Pod>& pods, TimePoint now) {
  std::vector<SlotEvent> events;
  std::set<std::string> present;
  for (const Pod& pod : pods) present.insert(pod.uid);
  std::vector<std::string> gone;
  for (const auto& [uid, slot] : slot_of_uid_) {
    if (!present.contains(uid)) gone.push_back(uid);
  }
  for (const std::string& uid : gone) std::ranges::move(remove(uid, now), std::back_inserter(events));
  for (const Pod& pod : pods) std::ranges::move(update(pod, now), std::back_inserter(events));
  return events;
}

std::vector<SlotEvent> PodTable::forget_empty(TimePoint now) {
  std::vector<SlotEvent> events;
  std::erase_if(slots_, [&](const auto& entry) {
    const auto& [name, slot] = entry;
    if (slot.pod || now - slot.empty_since < kForgetAfter) return false;
    events.push_back({Kind::removed, name});
    return true;
  });
  return events;
}

const Pod* PodTable::pod_in(const std::string& slot) const {
  const auto found = slots_.find(slot);
  return found == slots_.end() || !found->second.pod ? nullptr : &*found->second.pod;
}

std::vector<std::string> PodTable::slots() const {
  std::vector<std::string> names;
  names.reserve(slots_.size());
  for (const auto& [name, slot] : slots_) names.push_back(name);
  return names;
}

}  // namespace parley::supervisor
