#include "broker/shell/router_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "libmsg/net/message.hpp"
#include "libmsg/net/socket_options.hpp"

namespace parley::broker {
namespace {

// libzmq's automatic routing id: a zero byte, then a counter.
constexpr std::size_t kRoutingIdBytes = 5;
using RoutingId = std::array<std::byte, kRoutingIdBytes>;

std::optional<PeerHandle> to_handle(const zmq::message_t& id) {
  if (id.size() != kRoutingIdBytes || id.data<std::byte>()[0] != std::byte{0}) return std::nullopt;
  PeerHandle handle = 0;
  std::memcpy(&handle, id.data<std::byte>() + 1, sizeof handle);
  return handle;
}

RoutingId to_routing_id(PeerHandle handle) {
  RoutingId id{};
  std::memcpy(id.data() + 1, &handle, sizeof handle);
  return id;
}

}  // namespace

RouterSocket::RouterSocket(zmq::context_t& context) : socket_(context, zmq::socket_type::router) {
  net::set_common_options(socket_);
  // Without it a message to a gone or full peer would vanish without a word.
  socket_.set(zmq::sockopt::router_mandatory, true);
  socket_.set(zmq::sockopt::backlog, 1024);
  socket_.set(zmq::sockopt::linger, 500);
}

Result<std::string> RouterSocket::bind(const net::Endpoint& endpoint) {
  const std::string address = endpoint.zmq_address();
  try {
    socket_.set(zmq::sockopt::ipv6, endpoint.is_ipv6());
    socket_.bind(address);
    return socket_.get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& failure) {
    if (failure.num() == EADDRINUSE) {
      return fail(ErrorCode::refused, "cannot listen on " + address +
                                          ": the address is in use, perhaps by another broker; stop that one or "
                                          "choose another with --listen (tcp://127.0.0.1:* takes any free port)");
    }
    return fail(ErrorCode::bad_configuration, "cannot listen on " + address + ": " + failure.what());
  }
}

std::optional<RouterSocket::Message> RouterSocket::receive() {
  while (true) {
    zmq::message_t id;
    if (!socket_.recv(id, zmq::recv_flags::dontwait)) return std::nullopt;
    zmq::message_t frame;
    std::size_t frames = 0;
    for (bool has_more = id.more(); has_more; has_more = frame.more()) {
      if (!socket_.recv(frame, zmq::recv_flags::dontwait)) break;
      frames++;
    }
    const auto peer = to_handle(id);
    if (!peer) {
      counters_.foreign_ids++;
    } else if (frames != 1) {
      counters_.multipart++;
    } else {
      counters_.frames_in++;
      counters_.bytes_in += frame.size();
      return Message{*peer, std::move(frame)};
    }
  }
}

SendStatus RouterSocket::send(PeerHandle peer, ByteBuffer& frame) {
  const std::size_t bytes = frame.size();
  const RoutingId id = to_routing_id(peer);
  try {
    // Only the first frame can be refused; the body follows it into the same pipe.
    if (!socket_.send(zmq::const_buffer(id.data(), id.size()), zmq::send_flags::dontwait | zmq::send_flags::sndmore)) {
      counters_.refused_sends++;
      return SendStatus::full;
    }
    zmq::message_t message = net::to_message(frame);
    if (!socket_.send(message, zmq::send_flags::dontwait)) return SendStatus::gone;
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EHOSTUNREACH) throw;
    counters_.dead_connections++;
    return SendStatus::gone;
  }
  counters_.frames_out++;
  counters_.bytes_out += bytes;
  return SendStatus::sent;
}

}  // namespace parley::broker
