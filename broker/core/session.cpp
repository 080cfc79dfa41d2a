#include "broker/core/session.hpp"

namespace parley::broker {

Session& Sessions::add(std::unique_ptr<Session> session) {
  auto slot = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  session->slot = slot;
  by_peer_[session->peer] = slot;
  by_incarnation_[session->incarnation] = slot;
  slots_[slot] = std::move(session);
  return *slots_[slot];
}

std::unique_ptr<Session> Sessions::remove(Session& session) {
  const std::uint32_t slot = session.slot;
  by_peer_.erase(session.peer);
  by_incarnation_.erase(session.incarnation);
  free_.push_back(slot);
  return std::move(slots_[slot]);
}

Session* Sessions::find_peer(PeerHandle peer) {
  const auto it = by_peer_.find(peer);
  return it == by_peer_.end() ? nullptr : slots_[it->second].get();
}

Session* Sessions::find_incarnation(std::uint64_t incarnation) {
  const auto it = by_incarnation_.find(incarnation);
  return it == by_incarnation_.end() ? nullptr : slots_[it->second].get();
}

}  // namespace parley::broker
