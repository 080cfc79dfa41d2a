// A PeerLink with a broker played by the test: says WELCOME, sends frames, takes what the link wants to send.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include "libmsg/core/random.hpp"
#include "libmsg/link/peer_link.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::link {

using namespace std::chrono_literals;

struct Sent {
  SessionToken token;
  std::vector<wire::Kind> kinds;
  std::vector<std::uint64_t> message_ids;
  std::vector<std::uint32_t> remaining_ms;
  std::size_t bytes = 0;
};

class LinkTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kToken = 77;

  static PeerLinkConfig config() {
    return {.name = "tester", .incarnation = 5, .credit_bytes = 16'000'000, .hello_timeout = 2s};
  }

  /// The link in a fresh session, its HELLO sent and its events taken.
  void open_session(std::uint64_t token = kToken) {
    link.on_opened(now);
    while (link.next_frame(now)) {
    }
    ASSERT_FALSE(link.on_frame(welcome(token).bytes(), now));
    ASSERT_TRUE(link.is_ready());
    while (link.take_event()) {
    }
  }

  static ByteBuffer frame(std::uint64_t token, const std::vector<wire::EnvelopeFields>& envelopes) {
    ByteBuffer out;
    wire::begin_bundle(out, SessionToken(token));
    for (const auto& fields : envelopes) EXPECT_TRUE(wire::append_envelope(out, fields));
    return out;
  }
  static ByteBuffer welcome(std::uint64_t token) {
    const ByteBuffer body = wire::encode_body(wire::Welcome{.token = token});
    return frame(token, {{.kind = wire::Kind::welcome, .payload = body.bytes()}});
  }
  static ByteBuffer with_reason(std::uint64_t token, wire::Kind kind, const std::string& reason) {
    const ByteBuffer body = wire::encode_body(wire::Reason{reason});
    return frame(token, {{.kind = kind, .payload = body.bytes()}});
  }

  /// Encoded envelopes of the host; each with `payload_bytes` of payload.
  static ByteBuffer batch(wire::Kind kind, const std::vector<std::uint64_t>& ids, std::size_t payload_bytes = 0,
                          std::uint32_t remaining_ms = wire::kNoDeadline) {
    const std::string payload(payload_bytes, 'x');
    ByteBuffer out;
    for (const std::uint64_t id : ids) {
      EXPECT_TRUE(wire::append_envelope(out, {.kind = kind,
                                              .message_id = id,
                                              .remaining_ms = remaining_ms,
                                              .target = "critic/alice",
                                              .payload = as_bytes(payload)}));
    }
    return out;
  }
  void submit(wire::Kind kind, const std::vector<std::uint64_t>& ids, std::size_t payload_bytes = 0) {
    ASSERT_TRUE(link.submit(batch(kind, ids, payload_bytes).bytes(), now));
  }

  static Sent read(const ByteBuffer& sent) {
    auto bundle = wire::BundleReader::open(sent.bytes());
    EXPECT_TRUE(bundle);
    Sent result{.token = bundle->token(), .kinds = {}, .message_ids = {}, .remaining_ms = {}, .bytes = sent.size()};
    while (auto envelope = bundle->next()) {
      result.kinds.push_back(envelope->kind());
      result.message_ids.push_back(envelope->message_id().value());
      result.remaining_ms.push_back(envelope->remaining_ms());
    }
    EXPECT_FALSE(bundle->error());
    return result;
  }
  std::vector<Sent> send_all() {
    std::vector<Sent> all;
    while (auto next = link.next_frame(now)) all.push_back(read(*next));
    return all;
  }
  std::vector<std::uint64_t> sent_ids() {
    std::vector<std::uint64_t> ids;
    for (const Sent& sent : send_all()) ids.insert(ids.end(), sent.message_ids.begin(), sent.message_ids.end());
    return ids;
  }
  std::vector<wire::Hello> send_hello() {
    std::vector<wire::Hello> hellos;
    while (auto next = link.next_frame(now)) {
      auto bundle = wire::BundleReader::open(next->bytes());
      EXPECT_TRUE(bundle->token().is_zero());
      while (auto envelope = bundle->next()) {
        EXPECT_EQ(envelope->kind(), wire::Kind::hello);
        hellos.push_back(wire::decode_body<wire::Hello>(envelope->payload()).value());
      }
    }
    return hellos;
  }
  /// Passes time with the link's own wake-ups, as a shell does.
  void pass(Duration span) {
    const TimePoint end = now + span;
    while (link.next_wakeup() <= end) {
      now = std::max(now, link.next_wakeup());
      link.on_tick(now);
      if (link.take_reopen(now)) link.on_opened(now);
    }
    now = end;
    link.on_tick(now);
  }
  template <class Event>
  std::optional<Event> next_event() {
    auto event = link.take_event();
    if (!event || !std::holds_alternative<Event>(*event)) return std::nullopt;
    return std::get<Event>(*event);
  }

  TimePoint now{1h};
  SeededRandom random{1};
  PeerLink link{config(), random};
};

}  // namespace parley::link
