// A broker core with virtual time, and peers that speak bundles to it. Tests act through peers and look at what the
// peers got.
#pragma once

#include <cstdint>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/core.hpp"
#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/control.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::broker {

using namespace std::chrono_literals;  // NOLINT: tests read better with 5s
using wire::EnvelopeFields;
using wire::Kind;

/// One envelope that a peer received, copied out of its frame.
struct Received {
  Kind kind{};
  std::uint64_t message_id = 0;
  std::uint64_t delivery_id = 0;
  std::uint32_t remaining_ms = 0;
  std::uint16_t recipient = 0;
  ErrorCode code{};
  std::string source;
  std::string target;
  std::string payload_type;
  std::string payload;
  std::string retry_after;

  explicit Received(const wire::EnvelopeView& envelope)
      : kind(envelope.kind()),
        message_id(envelope.message_id().value()),
        delivery_id(envelope.delivery_id().value()),
        remaining_ms(envelope.remaining_ms()),
        recipient(envelope.recipient()),
        code(envelope.code()),
        source(envelope.source()),
        target(envelope.target()),
        payload_type(envelope.payload_type()),
        payload(as_text(envelope.payload())),
        retry_after(wire::find_attribute(envelope.attributes(), wire::attribute::kRetryAfterMs).value_or("")) {}
};

/// Keeps what the core sends; can refuse for some peers.
class RecordingSink final : public FrameSink {
 public:
  SendStatus send(PeerHandle peer, ByteBuffer& frame) override {
    if (const auto it = status.find(peer); it != status.end() && it->second != SendStatus::sent) return it->second;
    frames.emplace_back(peer, std::move(frame));
    return SendStatus::sent;
  }
  std::map<PeerHandle, SendStatus> status;
  std::vector<std::pair<PeerHandle, ByteBuffer>> frames;
};

class Bus;

/// A process on the bus: one connection, one session at a time.
class FakePeer {
 public:
  FakePeer(Bus& bus, PeerHandle handle) : bus_(&bus), handle_(handle) {}

  [[nodiscard]] PeerHandle handle() const { return handle_; }
  SessionToken token;
  std::deque<Received> inbox;
  std::vector<std::size_t> data_frames;  ///< sizes of the frames received that count against credit

  /// Says HELLO and takes the token from WELCOME, which it removes from the inbox.
  void join(const wire::Hello& hello);
  /// One bundle of one envelope, with the session's token.
  void tell(const EnvelopeFields& fields);
  /// A control request or a report with a msgpack body.
  template <class Body>
  std::uint64_t ask(Kind kind, const Body& body) {
    const ByteBuffer encoded = wire::encode_body(body);
    EnvelopeFields fields;
    fields.kind = kind;
    fields.message_id = ++last_id;
    fields.payload = encoded.bytes();
    tell(fields);
    return last_id;
  }
  /// Message ids count up from 1.
  std::uint64_t request(std::string_view target, std::string_view payload = "ping",
                        std::uint32_t remaining_ms = wire::kNoDeadline);
  std::uint64_t send(std::string_view target, std::string_view payload = "note",
                     std::uint32_t remaining_ms = wire::kNoDeadline);
  std::uint64_t publish(std::string_view topic, std::string_view payload = "news", std::string_view source = {});
  std::uint64_t message(EnvelopeFields fields);
  void reply(const Received& delivery, std::string_view payload = "pong");
  void part(const Received& delivery, std::string_view payload);
  void fail(const Received& delivery, ErrorCode code, std::string_view text);
  void done(const Received& delivery);
  void cancel(std::uint64_t message_id);
  void about(Kind kind, std::string_view id, std::uint64_t number);
  void drain();
  void goodbye();
  void heartbeat(std::uint64_t stamp = 1);
  void credit(std::uint64_t consumed);

  /// The next envelope of a kind, out of the inbox; the test fails when there is none.
  Received take(Kind kind);
  [[nodiscard]] std::size_t count(Kind kind) const;
  [[nodiscard]] bool got_nothing() const { return inbox.empty(); }

  std::uint64_t last_id = 0;

 private:
  Bus* bus_;
  PeerHandle handle_;
};

class Bus : public ::testing::Test {
 public:
  SeededRandom random{1};
  TimePoint now{std::chrono::hours(1)};
  RecordingSink sink;
  std::unique_ptr<Core> core;

  void start(CoreConfig config = {}) { core = std::make_unique<Core>(std::move(config), random, now, wall()); }
  [[nodiscard]] WallTime wall() const {
    return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()));
  }

  FakePeer& connect();
  /// A session that hosts nothing.
  FakePeer& client(std::uint64_t credit = kCredit);
  /// A session that hosts types, with indices 0, 1, …
  FakePeer& worker(std::vector<std::string> types, std::uint64_t credit = kCredit);
  [[nodiscard]] wire::Hello hello_of(std::vector<std::string> types, std::uint64_t credit = kCredit);

  /// Gives the core a frame and lets everything out.
  void deliver(PeerHandle peer, Bytes frame) {
    core->on_frame(peer, frame, now);
    flush();
  }
  /// Moves the time on in small steps, as a shell would; peers in `beating` send heartbeats.
  void pass(Duration step, std::vector<FakePeer*> beating = {});
  /// Everybody keeps its session.
  void pass_with_all(Duration step);
  void flush();
  void lose(FakePeer& peer) {
    core->on_peer_gone(peer.handle(), now);
    flush();
  }

  [[nodiscard]] std::uint64_t number(std::string_view name) const;
  /// The code of the last dead letter's row, by query of a fresh client.
  std::vector<wire::DeadLetterRow> dead_letters();
  template <class Report>
  Report query(const wire::Query& query) {
    FakePeer& peer = client();
    peer.ask(Kind::query, query);
    const Received answer = peer.take(Kind::reply);
    auto report = wire::decode_body<Report>(as_bytes(answer.payload));
    EXPECT_TRUE(report.has_value());
    peer.goodbye();
    return report.value_or(Report{});
  }
  /// True when nothing is left over of any message.
  [[nodiscard]] bool is_clean() const {
    return core->is_idle() && number("parley_broker_inflight") == 0 && number("parley_broker_parked") == 0 &&
           number("parley_broker_queued_bytes") == 0;
  }
  /// True when the broker's books balance at this moment.
  [[nodiscard]] bool is_sound() const { return core->broken_invariants().empty(); }

  static constexpr std::uint64_t kCredit = std::uint64_t{1} << 30U;

 protected:
  void SetUp() override { start(); }
  /// Whatever a test did, the books must balance.
  void TearDown() override { EXPECT_EQ(core->broken_invariants(), std::vector<std::string>{}); }

 private:
  std::deque<FakePeer> peers_;
  std::uint64_t next_incarnation_ = 100;
};

}  // namespace parley::broker
