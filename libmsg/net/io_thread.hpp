// The thread that owns a process's connections to the brokers (one per shard). It runs their PeerLinks, so heartbeats
// and leases go on while the loop thread is busy in a handler. Batches go out and frames come in through two bounded
// queues; the loop thread never blocks here, and pays for a wake-up only when the other side sleeps. Members are called
// on the loop thread unless they say otherwise; one thread at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/link/peer_link.hpp"
#include "libmsg/net/frame.hpp"

namespace parley::net {

struct IoThreadOptions {
  /// One per shard; connection i goes to endpoints[i].
  std::vector<std::string> endpoints{};
  link::PeerLinkConfig link{};
  /// Allows endpoints beyond loopback and ipc although nothing is encrypted.
  bool is_insecure_allowed = false;
  /// Batches that may wait for the thread; what exceeds it is answered with `overloaded`.
  std::size_t max_outbound_bytes = std::size_t{64} * 1024 * 1024;
  /// Frames that may wait for the loop; over it the thread stops reading until the loop has taken them. Credit keeps a
  /// correct broker far below.
  std::size_t max_inbound_bytes = std::size_t{64} * 1024 * 1024;
  /// How long a stop may take to get the last frames out.
  std::chrono::milliseconds linger{1000};
};

/// What the loop has to see, in the order in which it happened on its connection. A frame is one that
/// PeerLink::on_frame left to the host; walk it with wire::BundleReader, then call IoThread::consumed().
struct Inbound {
  std::size_t connection = 0;
  std::variant<Frame, link::LinkEvent> what;
};

class IoThread {
 public:
  /// Checks the endpoints; fails with `bad_configuration`. `wake` is called on the I/O thread when the inbound queue
  /// stops being empty, once until take_inbound(); it must not block, and may be called until stop() returns.
  static Result<std::unique_ptr<IoThread>> make(IoThreadOptions options, std::function<void()> wake);
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;
  /// Stops.
  ~IoThread();

  /// Starts connecting. What was posted before waits for it, so a first HELLO carries the types added until then.
  void start();
  [[nodiscard]] std::size_t connection_count() const;

  // What HELLO announces (see PeerLink); in order with submit().
  void add_type(std::size_t connection, wire::TypeRegistration type);
  void remove_type(std::size_t connection, std::string name);
  void add_subscription(std::size_t connection, wire::SubscriptionBody subscription);
  void remove_subscription(std::size_t connection, std::uint64_t id);

  /// Encoded envelopes, back to back, of any total size; message ids ascend per connection. `session` is the token of
  /// the last SessionReady that the host had taken for this connection when it wrote them (zero: none, or lost since):
  /// replies and everything else that belongs to another session are dropped, requests wait for the next one. What
  /// finds a queue full comes back as an inbound ERROR envelope `overloaded` with its message id (in a frame whose
  /// token is zero).
  void submit(std::size_t connection, ByteBuffer batch, SessionToken session);
  /// The host is done with a frame: renews the broker's credit.
  void consumed(std::size_t connection, const Frame& frame);

  /// Moves everything that waits for the loop to the end of `into`; false when there was nothing.
  bool take_inbound(std::vector<Inbound>& into);

  /// Until when turns of that session may start (self-fencing); TimePoint::min() when the connection has another
  /// session or none. Any thread.
  [[nodiscard]] TimePoint lease_until(std::size_t connection, SessionToken session) const;
  [[nodiscard]] bool is_ready(std::size_t connection) const;

  /// Sends what was submitted, says GOODBYE on every connection and joins the thread: blocks at most options.linger.
  /// Idempotent.
  void stop(const std::string& reason = "stopping");

 private:
  class Impl;
  explicit IoThread(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::net
