// How an AgentHost reaches its brokers, one connection per shard. WorkerRuntime gives it the I/O thread, LocalRuntime a
// broker core in the same thread; the host cannot tell which. The contract is that of net::IoThread.
// Loop thread only.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/net/io_thread.hpp"
#include "libmsg/wire/control.hpp"

namespace parley {

class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  [[nodiscard]] virtual std::size_t connection_count() const = 0;
  virtual void start() = 0;
  /// Says GOODBYE everywhere and closes. Idempotent.
  virtual void stop(const std::string& reason) = 0;

  // What HELLO announces; in order with submit().
  virtual void add_type(std::size_t connection, wire::TypeRegistration type) = 0;
  virtual void remove_type(std::size_t connection, std::string name) = 0;
  virtual void add_subscription(std::size_t connection, wire::SubscriptionBody subscription) = 0;
  virtual void remove_subscription(std::size_t connection, std::uint64_t id) = 0;

  /// Encoded envelopes, back to back. `session` is the session that the host knew when it wrote them: replies of
  /// another one are dropped. What finds a queue full comes back as an ERROR envelope `overloaded`.
  virtual void submit(std::size_t connection, ByteBuffer batch, SessionToken session) = 0;
  virtual void consumed(std::size_t connection, const net::Frame& frame) = 0;
  /// Moves everything that waits for the host to the end of `into`; false when there was nothing.
  virtual bool take_inbound(std::vector<net::Inbound>& into) = 0;
  /// Until when turns of this session may start: never again when the connection has another one by now.
  [[nodiscard]] virtual TimePoint lease_until(std::size_t connection, SessionToken session) const = 0;
};

}  // namespace parley
