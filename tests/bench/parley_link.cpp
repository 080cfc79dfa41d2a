// Parley without agent code: PeerLink on net::Dealer in one thread, against a real parley-broker.
#include <array>
#include <cstring>
#include <memory>
#include <unistd.h>
#include <vector>
#include <zmq.hpp>

#include "libmsg/core/random.hpp"
#include "libmsg/link/peer_link.hpp"
#include "libmsg/net/dealer.hpp"
#include "libmsg/wire/limits.hpp"
#include "tests/bench/memory.hpp"
#include "tests/bench/process.hpp"
#include "tests/bench/roles.hpp"

namespace parley::bench {
namespace {

constexpr std::size_t kMaxBytesUnderWay = std::size_t{256} * 1024 * 1024;
constexpr std::chrono::milliseconds kLookForEnd{50};
constexpr std::string_view kEchoTarget = "bench-echo/0";
constexpr std::string_view kClientType = "bench-client";
constexpr std::string_view kClientTarget = "bench-client/0";
constexpr std::string_view kTopic = "bench.topic/0";

/// One session with the broker: the socket and its link machine.
class LinkPeer {
 public:
  LinkPeer(zmq::context_t& context, const std::string& endpoint, std::string name)
      : dealer_(context, net::parse_endpoint(endpoint, net::Reach::this_machine).value()),
        link_(configuration(std::move(name)), random_) {}

  link::PeerLink& link() { return link_; }
  void add_poll_items(std::vector<zmq::pollitem_t>& items) { dealer_.add_poll_items(items, {}); }

  void submit(Bytes envelopes) {
    if (auto taken = link_.submit(envelopes, now()); !taken) throw std::runtime_error(taken.error().message);
  }

  /// Sends what the link wants sent and takes in what has arrived.
  template <class F>
  void pump(F on_envelope) {
    const TimePoint at = now();
    link_.on_tick(at);
    if (link_.take_reopen(at)) open();
    std::size_t bytes = 0;
    for (int i = 0; i < 256 && bytes < wire::kStepBytes; ++i) {
      const auto frame = dealer_.receive();
      if (!frame) break;
      bytes += frame->bytes().size();
      if (!link_.on_frame(frame->bytes(), at)) continue;
      auto bundle = wire::BundleReader::open(frame->bytes());
      while (auto envelope = bundle->next()) on_envelope(*envelope);
      link_.consumed(link::credit_cost(frame->bytes()));
    }
  }
  void ship() {
    const TimePoint at = now();
    while (auto frame = link_.next_frame(at)) {
      auto refused = dealer_.send(std::move(*frame));
      if (!refused) continue;
      link_.give_back(std::move(*refused));
      return;
    }
  }
  /// Connects; what HELLO announces must have been added to link() before.
  void wait_until_ready() {
    open();
    while (!link_.is_ready()) {
      ship();
      wait(std::chrono::milliseconds(5));
      pump([](const wire::EnvelopeView&) {});
    }
  }
  void wait(std::chrono::milliseconds timeout) {
    std::vector<zmq::pollitem_t> items;
    add_poll_items(items);
    zmq::poll(items, timeout);
  }

 private:
  static TimePoint now() { return SystemClock().now(); }
  link::PeerLinkConfig configuration(std::string name) {
    link::PeerLinkConfig config;
    config.name = std::move(name);
    config.incarnation = random_.next();
    // A window of 1024 messages of 64 KiB is more than a peer lets wait by default.
    config.credit_bytes = kMaxBytesUnderWay;
    config.max_waiting_bytes = kMaxBytesUnderWay;
    return config;
  }
  void open() {
    if (const auto opened = dealer_.open(); !opened) throw std::runtime_error(opened.error().message);
    link_.on_opened(now());
  }

  net::Dealer dealer_;
  SystemRandom random_;
  link::PeerLink link_;
};

std::uint64_t sequence_of(const wire::EnvelopeView& envelope) {
  return envelope.payload().size() < 8 ? 0 : wire::load<std::uint64_t>(envelope.payload().data());
}

class LinkTransport final : public Transport {
 public:
  LinkTransport(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes)
      : pattern_(pattern),
        peer_(context_, endpoint, "bench-client"),
        payload_(std::max<std::size_t>(payload_bytes, 8)) {
    peer_.link().add_type({.name = std::string(kClientType), .index = 0, .capabilities = {}, .capacity = 1});
    peer_.wait_until_ready();
  }

  void send(std::uint64_t sequence) override {
    wire::store(payload_.data(), sequence);
    wire::EnvelopeFields fields;
    fields.kind = pattern_ == Pattern::round_trip ? wire::Kind::request
                  : pattern_ == Pattern::one_way  ? wire::Kind::send
                                                  : wire::Kind::event;
    fields.message_id = sequence;
    fields.remaining_ms = 30'000;
    fields.target = pattern_ == Pattern::fan_out ? kTopic : kEchoTarget;
    fields.payload_type = "bench";
    fields.payload = payload_;
    if (!wire::append_envelope(batch_, fields)) throw std::runtime_error("payload too large");
  }

  void pump(std::chrono::microseconds timeout, const std::function<void(std::uint64_t)>& finished) override {
    if (!batch_.is_empty()) {
      peer_.submit(batch_.bytes());
      batch_.clear();
    }
    peer_.ship();
    peer_.wait(std::chrono::duration_cast<std::chrono::milliseconds>(timeout + std::chrono::microseconds(999)));
    done_.clear();
    peer_.pump([&](const wire::EnvelopeView& envelope) {
      switch (envelope.kind()) {
        case wire::Kind::reply:
          finished(envelope.message_id().value());
          break;
        case wire::Kind::send:  // the receiver's cumulative receipt
          wire::store(done_.grow(8), envelope.delivery_id().value());
          receipts_.up_to(sequence_of(envelope), finished);
          break;
        case wire::Kind::error:
          throw std::runtime_error("the broker answered " + to_string(envelope.code()) + ": " +
                                   std::string(as_text(envelope.payload())));
        default:
          break;
      }
    });
    if (!done_.is_empty()) confirm_receipts();
  }

 private:
  void confirm_receipts() {
    wire::EnvelopeFields fields;
    fields.kind = wire::Kind::done;
    fields.payload = done_.bytes();
    if (wire::append_envelope(batch_, fields)) peer_.submit(batch_.bytes());
    batch_.clear();
  }

  zmq::context_t context_;
  Pattern pattern_;
  LinkPeer peer_;
  std::vector<std::byte> payload_;
  ByteBuffer batch_;
  ByteBuffer done_;
  CumulativeReceipts receipts_;
};

/// One receiving connection: echoes requests, or counts one-way messages and confirms them.
class Receiver {
 public:
  Receiver(zmq::context_t& context, const std::string& endpoint, Pattern pattern, std::uint32_t number,
           bool is_confirming)
      : peer_(context, endpoint, "bench-worker-" + std::to_string(number)), is_confirming_(is_confirming) {
    const std::string type = number == 0 ? "bench-echo" : "bench-sink-" + std::to_string(number);
    peer_.link().add_type({.name = type, .index = 0, .capabilities = {}, .capacity = 1});
    if (pattern == Pattern::fan_out) {
      peer_.link().add_subscription({.id = 1, .topic = "bench.topic", .is_prefix = false, .agent_type = type});
    }
    peer_.wait_until_ready();
  }

  void add_poll_items(std::vector<zmq::pollitem_t>& items) { peer_.add_poll_items(items); }
  [[nodiscard]] const Received& received() const { return received_; }

  void serve() {
    done_.clear();
    std::uint64_t last = 0;
    peer_.pump([&](const wire::EnvelopeView& envelope) {
      if (envelope.kind() == wire::Kind::request) {
        wire::EnvelopeFields reply;
        reply.kind = wire::Kind::reply;
        reply.delivery_id = envelope.delivery_id().value();
        reply.payload_type = envelope.payload_type();
        reply.payload = envelope.payload();
        (void)wire::append_envelope(batch_, reply);
      } else if (envelope.kind() == wire::Kind::send || envelope.kind() == wire::Kind::event) {
        wire::store(done_.grow(8), envelope.delivery_id().value());
        last = sequence_of(envelope);
        received_.count(last);
        if (is_confirming_ && last % kReceiptEvery == 0) confirm(std::exchange(last, 0));
      }
    });
    if (is_confirming_ && last != 0) confirm(last);
    if (!done_.is_empty()) append_done();
    if (!batch_.is_empty()) peer_.submit(batch_.bytes());
    batch_.clear();
    peer_.ship();
  }

 private:
  void confirm(std::uint64_t sequence) {
    std::array<std::byte, 8> payload{};
    wire::store(payload.data(), sequence);
    wire::EnvelopeFields receipt;
    receipt.kind = wire::Kind::send;
    receipt.message_id = ++message_id_;
    receipt.target = kClientTarget;
    receipt.payload_type = "bench";
    receipt.payload = payload;
    (void)wire::append_envelope(batch_, receipt);
  }
  void append_done() {
    wire::EnvelopeFields fields;
    fields.kind = wire::Kind::done;
    fields.payload = done_.bytes();
    (void)wire::append_envelope(batch_, fields);
  }

  LinkPeer peer_;
  bool is_confirming_;
  Received received_;
  ByteBuffer batch_;
  ByteBuffer done_;
  std::uint64_t message_id_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_link_client(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes) {
  return std::make_unique<LinkTransport>(endpoint, pattern, payload_bytes);
}

int run_link_worker(const std::string& endpoint, Pattern pattern, std::uint32_t connections) {
  Closing closing;
  zmq::context_t context;
  std::vector<std::unique_ptr<Receiver>> receivers;
  for (std::uint32_t i = 0; i < connections; ++i) {
    const bool is_confirming = pattern != Pattern::round_trip && i + 1 == connections;
    receivers.push_back(std::make_unique<Receiver>(context, endpoint, pattern, i, is_confirming));
  }
  announce_ready(endpoint);
  const auto tally = [&receivers] {
    Tally all;
    for (const auto& receiver : receivers) all.add(receiver->received());
    return all;
  };
  while (!closing.is_over(tally())) {
    std::vector<zmq::pollitem_t> items;
    for (auto& receiver : receivers) receiver->add_poll_items(items);
    zmq::poll(items, kLookForEnd);
    for (auto& receiver : receivers) receiver->serve();
  }
  Closing::report(tally());
  return 0;
}

int run_idle_workers(const std::string& endpoint, std::uint32_t count) {
  allow_many_files();  // Each peer has a socket, a monitor and their descriptors.
  zmq::context_t context;
  context.set(zmq::ctxopt::max_sockets, static_cast<int>(4 * count + 16));
  std::vector<std::unique_ptr<LinkPeer>> peers;
  for (std::uint32_t i = 0; i < count; ++i) {
    peers.push_back(std::make_unique<LinkPeer>(context, endpoint, "idle-" + std::to_string(i)));
    peers.back()->link().add_type({.name = "idle", .index = 0, .capabilities = {}, .capacity = 1});
    peers.back()->wait_until_ready();
  }
  announce_ready(endpoint);
  while (true) {
    for (auto& peer : peers) {
      peer->pump([](const wire::EnvelopeView&) {});
      peer->ship();
    }
    usleep(50'000);
  }
}

}  // namespace parley::bench
