// The broker's ROUTER socket: bodies in, bodies out, peers as handles. A routing id is only ever libzmq's own five
// bytes; a peer that claims one of its own, or sends several frames, is not one of ours and is dropped and counted.
// Never blocks. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "broker/core/core.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/net/endpoint.hpp"

namespace parley::broker {

struct RouterCounters {
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t foreign_ids = 0;       ///< messages of peers that claim a routing id
  std::uint64_t multipart = 0;         ///< messages that were not one frame
  std::uint64_t refused_sends = 0;     ///< connection full; the core tries again
  std::uint64_t dead_connections = 0;  ///< found gone when sending
};

class RouterSocket final : public FrameSink {
 public:
  /// `context` must outlive the socket.
  explicit RouterSocket(zmq::context_t& context);

  /// Listens as well on `endpoint` and returns where: the port is known then. Fails with `refused` when the address
  /// is taken, `bad_configuration` when it is wrong.
  Result<std::string> bind(const net::Endpoint& endpoint);

  struct Message {
    PeerHandle peer;
    zmq::message_t frame;
    /// Valid until the message is destroyed; whoever keeps bytes copies them (libzmq pins 8 KiB under a small frame).
    [[nodiscard]] Bytes bytes() const { return {frame.data<std::byte>(), frame.size()}; }
  };
  /// The next message of a peer; nullopt when there is none.
  std::optional<Message> receive();
  SendStatus send(PeerHandle peer, ByteBuffer& frame) override;

  [[nodiscard]] zmq::pollitem_t poll_item() { return {socket_.handle(), 0, ZMQ_POLLIN, 0}; }
  [[nodiscard]] const RouterCounters& counters() const { return counters_; }

 private:
  zmq::socket_t socket_;
  RouterCounters counters_;
};

}  // namespace parley::broker
