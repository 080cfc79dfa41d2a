#include "libmsg/net/io_thread.hpp"

#include <condition_variable>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "libmsg/net/socket_options.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using wire::Kind;

constexpr auto kPatience = 10s;

/// A ROUTER on a free port that the test speaks through.
class FakeBroker {
 public:
  FakeBroker() : socket_(context_, zmq::socket_type::router) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
    socket_.bind("tcp://127.0.0.1:*");
  }
  [[nodiscard]] std::string endpoint() const { return socket_.get(zmq::sockopt::last_endpoint); }

  struct Envelope {
    Kind kind;
    std::uint64_t message_id;
    SessionToken token;
  };
  /// The first envelope of the next frame; remembers whom it came from.
  Envelope receive() {
    zmq::message_t id;
    zmq::message_t body;
    EXPECT_TRUE(socket_.recv(id)) << "no frame came";
    EXPECT_TRUE(socket_.recv(body));
    peer_ = id.to_string();
    auto bundle = wire::BundleReader::open({body.data<std::byte>(), body.size()});
    const auto envelope = bundle->next();
    return {envelope->kind(), envelope->message_id().value(), bundle->token()};
  }
  /// The next envelope that is not a heartbeat or a credit.
  Envelope receive_data() {
    Envelope envelope = receive();
    while (envelope.kind == Kind::heartbeat || envelope.kind == Kind::credit) envelope = receive();
    return envelope;
  }
  void send(std::uint64_t token, const wire::EnvelopeFields& fields) {
    ByteBuffer frame;
    wire::begin_bundle(frame, SessionToken(token));
    ASSERT_TRUE(wire::append_envelope(frame, fields));
    socket_.send(zmq::buffer(peer_), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(frame.data(), frame.size()));
  }
  void welcome(std::uint64_t token) {
    EXPECT_EQ(receive_data().kind, Kind::hello);
    const ByteBuffer body = wire::encode_body(wire::Welcome{.token = token, .session_timeout_ms = 60'000});
    send(token, {.kind = Kind::welcome, .payload = body.bytes()});
  }
  [[nodiscard]] const std::string& peer() const { return peer_; }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::string peer_;
};

class IoThreadTest : public testing::Test {
 protected:
  void make(IoThreadOptions options = {}) {
    options.endpoints = {broker.endpoint()};
    options.link.name = "tester";
    options.link.incarnation = 1;
    auto made = IoThread::make(std::move(options), [this] {
      const std::lock_guard lock(mutex);
      wakes++;
      condition.notify_all();
    });
    ASSERT_TRUE(made) << made.error().message;
    io = std::move(*made);
  }
  void open_session(std::uint64_t token) {
    io->start();
    broker.welcome(token);
    EXPECT_TRUE(std::holds_alternative<link::SessionReady>(std::get<link::LinkEvent>(take().what)));
  }
  /// The next inbound; waits for the wake-up.
  Inbound take() {
    std::unique_lock lock(mutex);
    while (taken.empty()) {
      if (!io->take_inbound(taken) && !condition.wait_for(lock, kPatience, [&] { return wakes > seen_wakes; })) {
        throw std::runtime_error("nothing came in");
      }
      seen_wakes = wakes;
    }
    Inbound first = std::move(taken.front());
    taken.erase(taken.begin());
    return first;
  }
  static ByteBuffer message(Kind kind, std::uint64_t id, std::size_t payload_bytes = 0) {
    ByteBuffer out;
    const std::string payload(payload_bytes, 'x');
    EXPECT_TRUE(wire::append_envelope(out, {.kind = kind, .message_id = id, .payload = as_bytes(payload)}));
    return out;
  }

  std::mutex mutex;
  std::condition_variable condition;
  int wakes = 0;
  int seen_wakes = 0;
  std::vector<Inbound> taken;
  FakeBroker broker;
  std::unique_ptr<IoThread> io;
};

TEST_F(IoThreadTest, carries_batches_out_and_frames_in) {
  make();
  open_session(7);
  EXPECT_TRUE(io->is_ready(0));
  io->submit(0, message(Kind::request, 1), SessionToken(7));
  const auto request = broker.receive_data();
  EXPECT_EQ(request.message_id, 1U);
  EXPECT_EQ(request.token, SessionToken(7));
  broker.send(7, {.kind = Kind::reply, .message_id = 1});
  const Inbound reply = take();
  const auto& frame = std::get<Frame>(reply.what);
  EXPECT_EQ(wire::BundleReader::open(frame.bytes())->next()->message_id(), MessageId(1));
}

TEST_F(IoThreadTest, carries_frames_of_every_size_whole) {
  make();
  open_session(7);
  for (const std::size_t size : {0UL, 20UL, 34UL, 8000UL, 9000UL, 100'000UL, 5'000'000UL}) {
    const std::string payload(size, 'y');
    broker.send(7, {.kind = Kind::reply, .message_id = 1, .payload = as_bytes(payload)});
    const Inbound reply = take();
    const auto& frame = std::get<Frame>(reply.what);
    EXPECT_EQ(as_text(wire::BundleReader::open(frame.bytes())->next()->payload()), payload);
    io->consumed(0, frame);
    io->submit(0, message(Kind::request, size + 1, size), SessionToken(7));
    EXPECT_EQ(broker.receive_data().message_id, size + 1);
  }
}

TEST_F(IoThreadTest, announces_in_hello_what_was_added_before_the_start) {
  make();
  io->add_type(0, {.name = "critic", .index = 0, .capabilities = {}, .capacity = 1});
  open_session(7);
}

TEST_F(IoThreadTest, holds_a_lease_as_long_as_the_session_says) {
  make();
  EXPECT_EQ(io->lease_until(0, SessionToken(7)), TimePoint::min());
  const TimePoint before = SystemClock().now();
  open_session(7);
  EXPECT_GE(io->lease_until(0, SessionToken(7)), before + 40s);
  EXPECT_EQ(io->lease_until(0, SessionToken(8)), TimePoint::min());
}

// [P-TRN-2] [P-PEER-3]
TEST_F(IoThreadTest, says_hello_on_a_fresh_connection_after_a_reset) {
  make();
  open_session(7);
  const std::string old_peer = broker.peer();
  broker.send(7, {.kind = Kind::reset});
  EXPECT_TRUE(std::holds_alternative<link::SessionLost>(std::get<link::LinkEvent>(take().what)));
  broker.welcome(8);
  EXPECT_NE(broker.peer(), old_peer);
  EXPECT_TRUE(std::holds_alternative<link::SessionReady>(std::get<link::LinkEvent>(take().what)));
}

// [P-PEER-5]
TEST_F(IoThreadTest, drops_replies_that_were_written_in_an_earlier_session) {
  make();
  open_session(7);
  io->submit(0, message(Kind::reply, 1), SessionToken(6));
  io->submit(0, message(Kind::request, 2), SessionToken(6));
  EXPECT_EQ(broker.receive_data().message_id, 2U);
}

TEST_F(IoThreadTest, answers_overloaded_when_its_queue_is_full) {
  make({.max_outbound_bytes = 100});
  io->submit(0, message(Kind::request, 1), SessionToken{});
  io->submit(0, message(Kind::request, 2, 200), SessionToken{});
  const Inbound refused = take();
  const auto answer = wire::BundleReader::open(std::get<Frame>(refused.what).bytes())->next();
  EXPECT_EQ(answer->message_id(), MessageId(2));
  EXPECT_EQ(answer->code(), ErrorCode::overloaded);
}

TEST_F(IoThreadTest, says_goodbye_after_what_was_submitted_when_it_stops) {
  make();
  open_session(7);
  io->submit(0, message(Kind::request, 1), SessionToken(7));
  io->stop("done");
  EXPECT_EQ(broker.receive_data().kind, Kind::request);
  EXPECT_EQ(broker.receive_data().kind, Kind::goodbye);
}

TEST_F(IoThreadTest, stops_at_once_when_there_is_no_broker) {
  IoThreadOptions options;
  options.endpoints = {"tcp://127.0.0.1:1"};
  options.linger = 1h;
  auto made = IoThread::make(std::move(options), [] {});
  ASSERT_TRUE(made);
  (*made)->start();
  (*made)->stop();
}

TEST(IoThread, refuses_endpoints_beyond_this_machine) {
  const auto made = IoThread::make({.endpoints = {"tcp://192.0.2.1:7700"}}, [] {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::bad_configuration);
  EXPECT_TRUE(IoThread::make({.endpoints = {"tcp://192.0.2.1:7700"}, .is_insecure_allowed = true}, [] {}));
}

TEST(IoThread, needs_an_endpoint_with_a_port) {
  EXPECT_FALSE(IoThread::make({}, [] {}));
  EXPECT_FALSE(IoThread::make({.endpoints = {"tcp://127.0.0.1:*"}}, [] {}));
}

// [P-HB-3]; the traps: ZMTP heartbeats kill healthy connections, frames without a bound
TEST(SocketOptions, leave_heartbeats_to_envelopes_and_bound_a_frame) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  set_common_options(socket);
  EXPECT_EQ(socket.get(zmq::sockopt::heartbeat_ivl), 0);
  EXPECT_EQ(socket.get(zmq::sockopt::maxmsgsize), 8 * 1024 * 1024);
  EXPECT_TRUE(socket.get(zmq::sockopt::routing_id).empty());
}

}  // namespace
}  // namespace parley::net
