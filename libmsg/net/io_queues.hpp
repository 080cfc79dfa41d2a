// What the loop thread and the I/O thread hand to each other, bounded, and who wakes whom: a system call is made only
// when the other side sleeps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/net/io_thread.hpp"
#include "libmsg/net/wake_fd.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::net {

struct SubmitBatch {
  ByteBuffer batch;
  SessionToken session;
};
struct RemoveType {
  std::string name;
};
struct RemoveSubscription {
  std::uint64_t id;
};
struct Consumed {
  std::size_t bytes;
  SessionToken session;
};

/// What the loop thread wants of one connection's link.
struct Command {
  std::size_t connection;
  std::variant<SubmitBatch, wire::TypeRegistration, RemoveType, wire::SubscriptionBody, RemoveSubscription, Consumed>
      what;
};

class IoQueues {
 public:
  /// `wake_loop` is called on either thread when the loop's queue gets its first item.
  IoQueues(std::size_t max_inbound_bytes, std::size_t max_outbound_bytes, std::function<void()> wake_loop)
      : max_inbound_bytes_(max_inbound_bytes),
        max_outbound_bytes_(max_outbound_bytes),
        wake_loop_(std::move(wake_loop)) {}

  // Loop thread.
  void post(Command command);
  /// Joins what waits already; false when nothing does, and then it was not taken.
  [[nodiscard]] bool ride_along(std::size_t connection, const Consumed& consumed);
  /// False when too much waits; else the batch counts until take_back_room().
  [[nodiscard]] bool take_room(std::size_t batch_bytes);
  /// For what must not be refused.
  void take_room_anyway(std::size_t batch_bytes) { outbound_bytes_.fetch_add(batch_bytes, std::memory_order_relaxed); }
  /// An answer that never left this process.
  void deliver(Inbound inbound);
  bool take_inbound(std::vector<Inbound>& into);
  void ask_stop(const std::string& reason);

  // I/O thread.
  void take_commands(std::vector<Command>& into);
  void take_back_room(std::size_t batch_bytes) { outbound_bytes_.fetch_sub(batch_bytes, std::memory_order_relaxed); }
  /// False while the loop is behind; its next take_inbound() then wakes this thread.
  [[nodiscard]] bool has_inbound_room();
  /// Empties `items`.
  void publish(std::vector<Inbound>& items);
  [[nodiscard]] bool is_stop_asked() const { return is_stopping_; }
  [[nodiscard]] std::string stop_reason();
  /// From here on whoever queues something signals wake_fd(). True when something waits already.
  [[nodiscard]] bool fall_asleep();
  void wake_up(bool was_signalled);
  [[nodiscard]] int wake_fd() const { return wake_fd_.fd(); }

 private:
  const std::size_t max_inbound_bytes_;
  const std::size_t max_outbound_bytes_;
  const std::function<void()> wake_loop_;
  WakeFd wake_fd_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<bool> is_asleep_{false};
  std::atomic<bool> is_stalled_{false};
  std::atomic<std::size_t> outbound_bytes_{0};

  std::mutex outbound_mutex_;
  std::vector<Command> outbound_;           ///< guarded by outbound_mutex_
  std::optional<std::string> stop_reason_;  ///< guarded by outbound_mutex_

  std::mutex inbound_mutex_;
  std::vector<Inbound> inbound_;   ///< guarded by inbound_mutex_
  std::size_t inbound_bytes_ = 0;  ///< guarded by inbound_mutex_
};

}  // namespace parley::net
