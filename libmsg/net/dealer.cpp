#include "libmsg/net/dealer.hpp"

#include <atomic>
#include <memory>
#include <utility>

#include "libmsg/net/message.hpp"
#include "libmsg/net/socket_options.hpp"

namespace parley::net {
namespace {

void delete_message(void* message) { delete static_cast<zmq::message_t*>(message); }

Frame to_frame(zmq::message_t message) {
  const Bytes content(message.data<std::byte>(), message.size());
  if (content.size() < kCopyBelowBytes) return Frame(ByteBuffer(content));
  auto owner = std::make_unique<zmq::message_t>(std::move(message));
  const Bytes moved(owner->data<std::byte>(), owner->size());
  return {Frame::Owner(owner.release(), delete_message), moved};
}

}  // namespace

Dealer::Dealer(zmq::context_t& context, Endpoint endpoint) : context_(context), endpoint_(std::move(endpoint)) {}

Result<> Dealer::open() {
  close(std::chrono::milliseconds(0));
  try {
    zmq::socket_t socket(context_, zmq::socket_type::dealer);
    set_common_options(socket);
    if (endpoint_.is_ipv6()) socket.set(zmq::sockopt::ipv6, true);
    socket.set(zmq::sockopt::reconnect_ivl, 100);
    socket.set(zmq::sockopt::reconnect_ivl_max, 1000);
    socket.set(zmq::sockopt::connect_timeout, 3000);
    // Every connection needs a monitor address of its own within the context.
    static std::atomic<unsigned> next_monitor{0};
    const std::string address = "inproc://parley-monitor-" + std::to_string(next_monitor++);
    if (zmq_socket_monitor(socket.handle(), address.c_str(), ZMQ_EVENT_DISCONNECTED) != 0) throw zmq::error_t();
    zmq::socket_t monitor(context_, zmq::socket_type::pair);
    monitor.set(zmq::sockopt::linger, 0);
    monitor.connect(address);
    socket.connect(endpoint_.zmq_address());
    socket_ = std::move(socket);
    monitor_ = std::move(monitor);
    return {};
  } catch (const zmq::error_t& failure) {
    return fail(ErrorCode::unreachable, "cannot connect to " + endpoint_.zmq_address() + ": " + failure.what());
  }
}

void Dealer::close(std::chrono::milliseconds linger) {
  if (!socket_) return;
  zmq_socket_monitor(socket_->handle(), nullptr, 0);
  monitor_.reset();
  socket_->set(zmq::sockopt::linger, static_cast<int>(linger.count()));
  socket_.reset();
}

std::optional<ByteBuffer> Dealer::send(ByteBuffer frame) {
  if (!socket_) return frame;
  zmq::message_t message = to_message(frame);
  if (socket_->send(message, zmq::send_flags::dontwait)) return std::nullopt;
  return ByteBuffer(Bytes(message.data<std::byte>(), message.size()));
}

std::optional<Frame> Dealer::receive() {
  if (!socket_) return std::nullopt;
  while (true) {
    zmq::message_t message;
    if (!socket_->recv(message, zmq::recv_flags::dontwait)) return std::nullopt;
    bool is_single = !message.more();
    while (message.more()) {
      if (!socket_->recv(message, zmq::recv_flags::dontwait)) break;
    }
    if (is_single) return to_frame(std::move(message));
  }
}

bool Dealer::take_disconnected() {
  if (!monitor_) return false;
  bool is_broken = false;
  zmq::message_t message;
  while (monitor_->recv(message, zmq::recv_flags::dontwait)) {
    // One event per two-frame message, and DISCONNECTED is the only one asked for.
    is_broken = true;
  }
  return is_broken;
}

void Dealer::add_poll_items(std::vector<zmq::pollitem_t>& items, Interest interest) {
  if (!socket_) return;
  short events = interest.has_room_for_input ? ZMQ_POLLIN : 0;
  if (interest.has_output) events = static_cast<short>(events | ZMQ_POLLOUT);
  items.push_back({socket_->handle(), 0, events, 0});
  items.push_back({monitor_->handle(), 0, ZMQ_POLLIN, 0});
}

}  // namespace parley::net
