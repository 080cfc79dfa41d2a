// The peer that the bus is measured against: the plainest ROUTER relay, one message per ZeroMQ message, one body frame,
// the return address patched in place so that nothing is copied. It has no directory, no deadlines, no limits.
#include <array>
#include <cstring>
#include <vector>
#include <zmq.hpp>

#include "tests/bench/roles.hpp"

namespace parley::bench {
namespace {

// Body: 'W' announce worker | 'Q' request | 'R' reply | 'S' one-way | 'E' event; 3 spare bytes; u32 return address;
// u64 sequence; payload.
constexpr std::size_t kHeaderBytes = 16;
constexpr int kNoLimit = 0;
constexpr std::chrono::milliseconds kLookForEnd{50};

zmq::socket_t dealer(zmq::context_t& context, const std::string& endpoint) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, kNoLimit);
  socket.set(zmq::sockopt::rcvhwm, kNoLimit);
  socket.connect(endpoint);
  return socket;
}

bool is_readable(zmq::socket_t& socket, std::chrono::microseconds timeout) {
  zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  zmq::poll(&item, 1, std::chrono::duration_cast<std::chrono::milliseconds>(timeout + std::chrono::microseconds(999)));
  return (item.revents & ZMQ_POLLIN) != 0;
}

std::uint64_t sequence_of(const zmq::message_t& body) {
  std::uint64_t sequence = 0;
  std::memcpy(&sequence, static_cast<const char*>(body.data()) + 8, sizeof sequence);
  return sequence;
}

/// The same relay with bundles of messages, which it forwards unread: what this transport gives at most.
class BundlingTransport final : public Transport {
 public:
  BundlingTransport(const std::string& endpoint, std::size_t payload_bytes)
      : socket_(dealer(context_, endpoint)), body_bytes_(kHeaderBytes + payload_bytes) {}

  void send(std::uint64_t sequence) override {
    if (!bundle_.empty() && bundle_.size() + body_bytes_ > kBundleBytes) ship();
    const std::size_t at = bundle_.size();
    bundle_.resize(at + body_bytes_, 'x');
    bundle_[at] = 'Q';
    std::memcpy(bundle_.data() + at + 8, &sequence, sizeof sequence);
  }
  void pump(std::chrono::microseconds timeout, const std::function<void(std::uint64_t)>& finished) override {
    ship();
    if (!is_readable(socket_, timeout)) return;
    zmq::message_t bundle;
    if (!socket_.recv(bundle, zmq::recv_flags::dontwait)) return;
    for (std::size_t at = 0; at < bundle.size(); at += body_bytes_) {
      std::uint64_t sequence = 0;
      std::memcpy(&sequence, static_cast<const char*>(bundle.data()) + at + 8, sizeof sequence);
      finished(sequence);
    }
  }

 private:
  static constexpr std::size_t kBundleBytes = std::size_t{64} * 1024;

  void ship() {
    if (bundle_.empty()) return;
    (void)socket_.send(zmq::const_buffer(bundle_.data(), bundle_.size()), zmq::send_flags::none);
    bundle_.clear();
  }

  zmq::context_t context_;
  zmq::socket_t socket_;
  std::size_t body_bytes_;
  std::vector<char> bundle_;
};

class RelayTransport final : public Transport {
 public:
  RelayTransport(const std::string& endpoint, char operation, std::size_t payload_bytes)
      : socket_(dealer(context_, endpoint)), operation_(operation), body_bytes_(kHeaderBytes + payload_bytes) {}

  void send(std::uint64_t sequence) override {
    zmq::message_t body(body_bytes_);
    auto* bytes = static_cast<char*>(body.data());
    std::memset(bytes, 'x', body_bytes_);
    bytes[0] = operation_;
    std::memcpy(bytes + 8, &sequence, sizeof sequence);
    (void)socket_.send(body, zmq::send_flags::none);
  }
  void pump(std::chrono::microseconds timeout, const std::function<void(std::uint64_t)>& finished) override {
    if (!is_readable(socket_, timeout)) return;
    zmq::message_t body;
    for (int i = 0; i < 256 && socket_.recv(body, zmq::recv_flags::dontwait); ++i) {
      if (operation_ == 'Q') {
        finished(sequence_of(body));
      } else {
        receipts_.up_to(sequence_of(body), finished);
      }
    }
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
  char operation_;
  std::size_t body_bytes_;
  CumulativeReceipts receipts_;
};

struct Address {
  char bytes[5];
};

void forward(zmq::socket_t& router, const Address& to, zmq::message_t& body) {
  router.send(zmq::const_buffer(to.bytes, sizeof to.bytes), zmq::send_flags::sndmore);
  router.send(body, zmq::send_flags::none);
}

void route(zmq::socket_t& router, const Address& from, zmq::message_t& body, std::vector<Address>& workers) {
  auto* bytes = static_cast<char*>(body.data());
  switch (bytes[0]) {
    case 'W':
      workers.push_back(from);
      break;
    case 'R': {
      Address to{};
      std::memcpy(to.bytes + 1, bytes + 4, 4);
      forward(router, to, body);
      break;
    }
    case 'E':
      std::memcpy(bytes + 4, from.bytes + 1, 4);
      for (const Address& worker : workers) {
        zmq::message_t copy;
        copy.copy(body);
        forward(router, worker, copy);
      }
      break;
    default:
      std::memcpy(bytes + 4, from.bytes + 1, 4);
      if (!workers.empty()) forward(router, workers.front(), body);
  }
}

}  // namespace

std::unique_ptr<Transport> make_bundling_relay_client(const std::string& endpoint, std::size_t payload_bytes) {
  return std::make_unique<BundlingTransport>(endpoint, payload_bytes);
}

std::unique_ptr<Transport> make_relay_client(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes) {
  const char operation = pattern == Pattern::round_trip ? 'Q' : pattern == Pattern::one_way ? 'S' : 'E';
  return std::make_unique<RelayTransport>(endpoint, operation, payload_bytes);
}

int run_relay() {
  zmq::context_t context;
  zmq::socket_t router(context, zmq::socket_type::router);
  router.set(zmq::sockopt::linger, 0);
  router.set(zmq::sockopt::sndhwm, kNoLimit);
  router.set(zmq::sockopt::rcvhwm, kNoLimit);
  router.bind("tcp://127.0.0.1:*");
  announce_ready(router.get(zmq::sockopt::last_endpoint));
  std::vector<Address> workers;
  while (true) {
    if (!is_readable(router, std::chrono::hours(1))) continue;
    zmq::message_t id;
    zmq::message_t body;
    for (int i = 0; i < 256 && router.recv(id, zmq::recv_flags::dontwait); ++i) {
      (void)router.recv(body, zmq::recv_flags::none);
      Address from{};
      std::memcpy(from.bytes, id.data(), sizeof from.bytes);
      route(router, from, body, workers);
    }
  }
}

int run_relay_worker(const std::string& endpoint, Pattern pattern, std::uint32_t connections) {
  Closing closing;
  zmq::context_t context;
  std::vector<zmq::socket_t> sockets;
  for (std::uint32_t i = 0; i < connections; ++i) {
    sockets.push_back(dealer(context, endpoint));
    sockets.back().send(zmq::str_buffer("W---------------"), zmq::send_flags::none);
  }
  std::vector<zmq::pollitem_t> items;
  for (auto& socket : sockets) items.push_back({socket.handle(), 0, ZMQ_POLLIN, 0});
  announce_ready(endpoint);
  zmq::message_t body;
  std::vector<Received> received(sockets.size());
  const auto tally = [&received] {
    Tally all;
    for (const Received& each : received) all.add(each);
    return all;
  };
  while (!closing.is_over(tally())) {
    zmq::poll(items, kLookForEnd);
    for (std::size_t s = 0; s < sockets.size(); ++s) {
      bool is_receipt_due = false;
      std::array<char, kHeaderBytes> header{};
      for (int i = 0; i < 256 && sockets[s].recv(body, zmq::recv_flags::dontwait); ++i) {
        static_cast<char*>(body.data())[0] = 'R';
        if (pattern == Pattern::round_trip) {
          sockets[s].send(body, zmq::send_flags::none);
          continue;
        }
        received[s].count(sequence_of(body));
        std::memcpy(header.data(), body.data(), header.size());
        // Only the last receiver confirms, so that a confirmed event has reached all the others' sockets before.
        is_receipt_due = s + 1 == sockets.size();
        if (is_receipt_due && received[s].last() % kReceiptEvery == 0) {
          sockets[s].send(zmq::message_t(header.data(), header.size()), zmq::send_flags::none);
          is_receipt_due = false;
        }
      }
      if (is_receipt_due) sockets[s].send(zmq::message_t(header.data(), header.size()), zmq::send_flags::none);
    }
  }
  Closing::report(tally());
  return 0;
}

}  // namespace parley::bench
