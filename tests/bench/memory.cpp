#include "tests/bench/memory.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <zmq.hpp>

#include "broker/core/core.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/control.hpp"
#include "tests/bench/process.hpp"
#include "tests/bench/roles.hpp"

namespace parley::bench {
namespace {

constexpr std::uint64_t kAgents = 1'000'000;
constexpr std::uint32_t kSubscriptions = 100'000;
constexpr std::uint32_t kWorkers = 1'000;

class NullSink final : public broker::FrameSink {
 public:
  broker::SendStatus send(broker::PeerHandle /*peer*/, ByteBuffer& frame) override {
    last_.clear();
    last_.append(frame.bytes());
    return broker::SendStatus::sent;
  }
  [[nodiscard]] Bytes last() const { return last_.bytes(); }

 private:
  ByteBuffer last_;
};

/// A core with one session, fed without a socket.
class CoreUnderTest {
 public:
  CoreUnderTest() : core_(configuration(), random_, now_, WallTime{}) {}

  void control(SessionToken token, wire::Kind kind, Bytes body, std::uint64_t message_id = 0) {
    frame_.clear();
    wire::begin_bundle(frame_, token);
    wire::EnvelopeFields fields;
    fields.kind = kind;
    fields.message_id = message_id;
    fields.payload = body;
    if (!wire::append_envelope(frame_, fields)) throw std::runtime_error("control body too large");
    deliver(frame_.bytes());
  }
  void deliver(Bytes frame) { core_.on_frame(1, frame, now_); }
  void flush() { core_.flush(sink_, now_); }

  SessionToken open(const wire::Hello& hello) {
    control(SessionToken{}, wire::Kind::hello, wire::encode_body(hello).bytes());
    flush();
    auto bundle = wire::BundleReader::open(sink_.last());
    const auto envelope = bundle->next();
    return SessionToken(wire::decode_body<wire::Welcome>(envelope->payload()).value().token);
  }
  /// Throws when one of the broker's numbers is another: what it refused cannot be measured.
  void expect(std::string_view name, std::uint64_t value) const {
    for (const wire::NamedNumber& number : core_.numbers()) {
      if (number.name == name && number.value == value) return;
    }
    throw std::runtime_error("the broker does not report " + std::string(name) + " " + std::to_string(value));
  }

 private:
  static broker::CoreConfig configuration() {
    broker::CoreConfig config;
    config.max_session_queue_bytes = std::size_t{1} << 40U;
    return config;
  }
  SeededRandom random_{1};
  TimePoint now_{std::chrono::hours(1)};
  broker::Core core_;
  NullSink sink_;
  ByteBuffer frame_;
};

wire::Hello worker_hello() {
  wire::Hello hello;
  hello.name = "bench";
  hello.incarnation = 1;
  hello.is_worker = true;
  hello.credit_bytes = std::uint64_t{1} << 40U;
  hello.types.push_back({.name = "customer", .index = 0, .capabilities = {}, .capacity = 1});
  return hello;
}

/// Bytes that the broker holds for each of a million announced agent ids, the id's own text included.
Fact directory_entry() {
  CoreUnderTest broker;
  wire::Hello hello = worker_hello();
  hello.is_last = false;
  const std::uint64_t before = resident_bytes();
  for (std::uint64_t next = 0; next < kAgents;) {
    hello.activations.clear();
    for (std::size_t i = 0; i < wire::kMaxActivationsPerHello && next < kAgents; ++i, ++next) {
      hello.activations.push_back(
          {"customer/account-" + std::to_string(10'000'000 + next), (std::uint64_t{1} << 32U) + next});
    }
    hello.is_last = next == kAgents;
    broker.control(SessionToken{}, wire::Kind::hello, wire::encode_body(hello).bytes());
    hello.types.clear();  // said once
  }
  broker.flush();
  broker.expect("parley_broker_activations", kAgents);
  hello.activations = {};
  const double used = static_cast<double>(resident_bytes() - before);
  return {"directory of 1,000,000 agent ids, each", "bytes", used / static_cast<double>(kAgents), 300};
}

/// Six digits, none of them odd: such a topic leads as deep into the subscriptions as it can and matches none, since
/// the exact ones have at most five digits and those by prefix end in an odd one.
std::string even_digits(std::uint32_t number) {
  std::string digits(6, '2');
  for (char& digit : digits) {
    digit = static_cast<char>('0' + 2 * (number % 4 + 1));
    number /= 4;
  }
  return digits;
}

/// Cost of an event that matches no subscription beyond that with an empty table: what matching itself takes.
double event_cost_ns(std::uint32_t subscriptions) {
  constexpr std::uint32_t kEvents = 20'000;
  CoreUnderTest broker;
  wire::Hello hello = worker_hello();
  hello.subscriptions.reserve(subscriptions);
  const SessionToken token = broker.open(hello);
  std::uint64_t message_id = 0;
  for (std::uint32_t i = 0; i < subscriptions; ++i) {
    const wire::SubscriptionBody body{i + 1, "orders.region-" + std::to_string(i), i % 2 == 1, "customer"};
    broker.control(token, wire::Kind::subscribe, wire::encode_body(body).bytes(), ++message_id);
    if (i % 1000 == 0) broker.flush();
  }
  broker.flush();
  broker.expect("parley_broker_subscriptions", subscriptions);
  std::vector<ByteBuffer> frames;
  for (std::uint32_t i = 0; i < kEvents; ++i) {
    ByteBuffer frame;
    wire::begin_bundle(frame, token);
    wire::EnvelopeFields fields;
    fields.kind = wire::Kind::event;
    fields.message_id = ++message_id;
    const std::string target = "orders.region-" + even_digits(i) + "/x";
    fields.target = target;
    fields.payload_type = "bench";
    if (!wire::append_envelope(frame, fields)) throw std::runtime_error("event too large");
    frames.push_back(std::move(frame));
  }
  const auto begin = std::chrono::steady_clock::now();
  for (const ByteBuffer& frame : frames) broker.deliver(frame.bytes());
  const auto took = std::chrono::steady_clock::now() - begin;
  return std::chrono::duration<double, std::nano>(took).count() / kEvents;
}

Fact topic_matching() {
  const double extra = event_cost_ns(kSubscriptions) - event_cost_ns(0);
  return {"matching a topic against 100,000 subscriptions", "µs", std::max(0.0, extra) / 1000.0, 1.0};
}

Fact idle_workers(const std::string& self, const std::string& broker) {
  Process host({broker, "--listen", "tcp://127.0.0.1:*", "--log-level", "error"});
  const auto ready = nlohmann::json::parse(host.read_line(std::chrono::seconds(10)));
  Process workers({self, "--role", "idle-workers", "--endpoint", ready.at("endpoint").get<std::string>(),
                   "--connections", std::to_string(kWorkers)});
  workers.read_line(std::chrono::seconds(60));
  std::this_thread::sleep_for(std::chrono::seconds(3));  // a few rounds of heartbeats
  return {"broker with 1,000 idle workers, resident", "MiB", static_cast<double>(host.resident_bytes()) / (1 << 20),
          64};
}

}  // namespace

std::vector<Fact> measure_memory(const std::string& self, const std::string& broker) {
  return {directory_entry(), topic_matching(), idle_workers(self, broker)};
}

}  // namespace parley::bench
