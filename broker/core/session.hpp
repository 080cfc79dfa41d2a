// One connection of one process: what it hosts, what it waits for, what waits for it. Kept by Sessions under a slot
// number; found by its connection, its incarnation or its slot. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/core.hpp"
#include "broker/core/directory.hpp"
#include "broker/core/hash.hpp"
#include "broker/core/out_queue.hpp"
#include "libmsg/core/health.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::broker {

struct Session {
  Session(SessionToken given_token, std::uint64_t credit, BufferPool& pool)
      : token(given_token), out(given_token, credit, pool) {}

  std::uint32_t slot = kNil;
  PeerHandle peer = 0;
  SessionToken token;
  std::string name;
  std::uint64_t incarnation = 0;
  bool is_worker = false;
  bool is_draining = false;
  TimePoint opened;
  TimePoint last_heard;
  TimePoint last_heartbeat;  ///< received; its lease ends 0.8 session timeouts later at the latest
  std::uint64_t last_message_id = 0;

  /// What it told about itself with its newest heartbeat; null until it did.
  std::unique_ptr<wire::WorkerVitals> vitals;
  HealthVerdict health;
  /// What was last told to the shell.
  HealthState noted_health = HealthState::healthy;

  /// As a caller: its requests under way, message id → delivery slot.
  NumberMap<std::uint32_t> requests;
  /// Messages of it that wait for the end of recovery; while there are any, later ones wait behind them.
  std::uint32_t recovering = 0;

  /// As a worker: what it was given and has not finished.
  DeliveryList deliveries;
  ActivationList activations;
  /// Agent type (registry index) → its number in this registration.
  NumberMap<std::uint16_t> types;
  NumberMap<wire::SubscriptionBody> subscriptions;

  OutQueue out;
  bool is_dirty = false;   ///< listed for the next flush
  bool is_doomed = false;  ///< listed to be ended

  /// Bytes that this session makes the broker hold: what waits for it, and copies of its unfinished one-way messages.
  [[nodiscard]] std::size_t backlog_bytes() const { return out.data().bytes() + deliveries.bytes; }
};

class Sessions {
 public:
  Session& add(std::unique_ptr<Session> session);
  /// Forgets the session; what belongs to it must have been cleaned up.
  std::unique_ptr<Session> remove(Session& session);

  [[nodiscard]] Session* find_peer(PeerHandle peer);
  [[nodiscard]] Session* find_incarnation(std::uint64_t incarnation);
  Session& operator[](std::uint32_t slot) { return *slots_[slot]; }
  [[nodiscard]] std::size_t size() const { return by_peer_.size(); }
  /// Every session by slot; null where there is none.
  [[nodiscard]] const std::vector<std::unique_ptr<Session>>& all() const { return slots_; }

 private:
  std::vector<std::unique_ptr<Session>> slots_;
  std::vector<std::uint32_t> free_;
  NumberMap<std::uint32_t> by_peer_;
  NumberMap<std::uint32_t> by_incarnation_;
};

}  // namespace parley::broker
