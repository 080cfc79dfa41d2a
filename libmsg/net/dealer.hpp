// One DEALER connection to one broker, with the socket options that PROTOCOL.md §Transport asks for and a monitor that
// tells when it breaks. It never sets a routing id: two peers with one id make the second a silent black hole, and a
// claimed id can abort the broker.
// One thread: the I/O thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/net/endpoint.hpp"
#include "libmsg/net/frame.hpp"

namespace parley::net {

class Dealer {
 public:
  /// `context` must outlive the dealer.
  Dealer(zmq::context_t& context, Endpoint endpoint);
  Dealer(Dealer&&) = default;
  Dealer& operator=(Dealer&&) = delete;
  Dealer(const Dealer&) = delete;
  Dealer& operator=(const Dealer&) = delete;
  ~Dealer() = default;

  /// Throws away the old connection with everything that waits in it and starts a fresh one; connecting goes on in the
  /// background. Fails with `unreachable` when the system has no socket left.
  Result<> open();
  /// What was sent may still leave within `linger`.
  void close(std::chrono::milliseconds linger);
  [[nodiscard]] bool is_open() const { return socket_.has_value(); }

  /// Takes the frame and returns nothing, or hands it back when the connection is full. Never blocks.
  std::optional<ByteBuffer> send(ByteBuffer frame);
  /// The next frame; nullopt when there is none. Messages of several frames are not ours and skipped.
  std::optional<Frame> receive();
  /// True when the connection broke since the last call.
  bool take_disconnected();

  /// Adds what the thread must poll for: frames when `wants_input`, room when `wants_output`, and the monitor.
  struct Interest {
    bool has_room_for_input = true;
    bool has_output = false;
  };
  void add_poll_items(std::vector<zmq::pollitem_t>& items, Interest interest);

 private:
  zmq::context_t& context_;
  Endpoint endpoint_;
  std::optional<zmq::socket_t> socket_;
  std::optional<zmq::socket_t> monitor_;
};

}  // namespace parley::net
