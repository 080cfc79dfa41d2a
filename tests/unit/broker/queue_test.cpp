#include <numeric>
#include <string>

#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class Queues : public Bus {};

TEST_F(Queues, send_no_more_data_than_the_credit_allows) {
  FakePeer& host = worker({"hr"}, 1000);
  FakePeer& caller = client();
  for (int i = 0; i < 10; i++) caller.request("hr/a", std::string(200, 'x'));
  const auto sent = std::accumulate(host.data_frames.begin(), host.data_frames.end(), std::size_t{0});
  EXPECT_LE(sent, 1000U);
  EXPECT_GT(number("parley_broker_queued_bytes"), 0U);
  const std::size_t before = host.count(Kind::request);
  host.credit(sent);
  EXPECT_GT(host.count(Kind::request), before);
}

TEST_F(Queues, send_a_frame_larger_than_the_window_when_nothing_is_outstanding) {
  FakePeer& host = worker({"hr"}, 10);
  client().request("hr/a", std::string(500, 'x'));
  EXPECT_EQ(host.count(Kind::request), 1U);
}

TEST_F(Queues, ignore_credit_that_makes_no_sense) {
  FakePeer& host = worker({"hr"}, 10);
  FakePeer& caller = client();
  caller.request("hr/a");
  caller.request("hr/a");
  host.credit(1'000'000'000);
  EXPECT_EQ(host.count(Kind::request), 1U);
}

TEST_F(Queues, let_heartbeats_through_without_credit) {
  FakePeer& host = worker({"hr"}, 1);
  FakePeer& caller = client();
  caller.request("hr/a");
  caller.request("hr/a");
  host.heartbeat(9);
  EXPECT_EQ(host.take(Kind::heartbeat_ack).message_id, 9U);
}

TEST_F(Queues, over_their_cap_answer_requests_with_overloaded) {
  start({.max_session_queue_bytes = 1000});
  worker({"hr"}, 1);
  FakePeer& caller = client();
  for (int i = 0; i < 5; i++) caller.request("hr/a", std::string(300, 'x'));
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::overloaded);
  EXPECT_LE(number("parley_broker_queued_bytes"), 1200U);
}

TEST_F(Queues, over_their_cap_refuse_a_send_to_its_sender) {
  start({.max_session_queue_bytes = 1000});
  worker({"hr"});
  FakePeer& sender = client();
  for (int i = 0; i < 5; i++) sender.send("hr/a", std::string(300, 'x'));  // never done: the copies fill the cap
  EXPECT_EQ(sender.take(Kind::error).code, ErrorCode::overloaded);
}

TEST_F(Queues, that_cannot_take_a_reply_get_a_small_error_instead) {
  start({.max_session_queue_bytes = 1000});
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client(1);
  caller.request("hr/a");
  caller.request("hr/b");
  host.reply(host.take(Kind::request), "takes the credit");
  host.reply(host.take(Kind::request), std::string(2000, 'x'));
  caller.inbox.clear();
  caller.credit(caller.data_frames.at(0));
  const Received error = caller.take(Kind::error);
  EXPECT_EQ(error.message_id, 2U);
  EXPECT_EQ(error.code, ErrorCode::overloaded);
  EXPECT_EQ(number("parley_broker_inflight"), 0U);
}

TEST_F(Queues, that_cannot_take_a_part_end_its_stream_and_cancel_it) {
  start({.max_session_queue_bytes = 1000});
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client(1);
  caller.request("hr/a");
  const Received delivery = host.take(Kind::request);
  host.part(delivery, "takes the credit");
  host.part(delivery, std::string(2000, 'x'));
  EXPECT_EQ(host.take(Kind::cancel).delivery_id, delivery.delivery_id);
  EXPECT_EQ(number("parley_broker_inflight"), 0U);
}

// [P-ENV-5]
TEST_F(Queues, take_the_time_a_message_waits_for_credit_off_what_is_left) {
  FakePeer& host = worker({"hr"}, 1);
  FakePeer& caller = client();
  caller.request("hr/a", "first", 2000);
  host.take(Kind::request);
  caller.request("hr/a", "second", 2000);
  EXPECT_EQ(host.count(Kind::request), 0U);
  pass_with_all(400ms);
  std::uint64_t received = 0;
  for (const std::size_t bytes : host.data_frames) received += bytes;
  host.credit(received);
  EXPECT_EQ(host.take(Kind::request).remaining_ms, 1600U);
}

TEST_F(Queues, wait_when_the_transport_is_full_and_lose_nothing) {
  FakePeer& host = worker({"hr"});
  sink.status[host.handle()] = SendStatus::full;
  client().request("hr/a");
  EXPECT_EQ(host.count(Kind::request), 0U);
  EXPECT_LE(core->next_wakeup(), now + 5ms);
  sink.status.clear();
  flush();
  EXPECT_EQ(host.count(Kind::request), 1U);
}

TEST_F(Queues, of_a_connection_that_is_gone_end_its_session) {
  FakePeer& host = worker({"hr"});
  sink.status[host.handle()] = SendStatus::gone;
  FakePeer& caller = client();
  caller.request("hr/a");
  EXPECT_EQ(number("parley_broker_sessions"), 1U);
  EXPECT_EQ(number("parley_broker_parked"), 1U);  // it was never sent
}

TEST_F(Queues, go_out_one_bundle_per_destination_first) {
  FakePeer& big = worker({"big"});
  FakePeer& small = worker({"small"});
  FakePeer& caller = client();
  ByteBuffer frame;
  wire::begin_bundle(frame, caller.token);
  const std::string payload(40'000, 'x');
  for (std::uint64_t id = 1; id <= 4; id++) {
    ASSERT_TRUE(
        wire::append_envelope(frame, {.message_id = id, .target = "big/a", .payload = as_bytes(payload)}).has_value());
  }
  ASSERT_TRUE(wire::append_envelope(frame, {.message_id = 5, .target = "small/a"}).has_value());
  core->on_frame(caller.handle(), frame.bytes(), now);
  core->flush(sink, now);
  ASSERT_GE(sink.frames.size(), 3U);
  EXPECT_EQ(sink.frames[0].first, big.handle());
  EXPECT_EQ(sink.frames[1].first, small.handle());
  EXPECT_EQ(sink.frames[2].first, big.handle());
}

TEST_F(Queues, of_a_peer_that_takes_not_even_its_errors_end_its_session) {
  start({.max_session_queue_bytes = 1000});
  FakePeer& peer = client();
  sink.status[peer.handle()] = SendStatus::full;
  std::uint64_t id = 0;
  for (int round = 0; round < 2000 && number("parley_broker_sessions") == 1; round++) {
    ByteBuffer frame;
    wire::begin_bundle(frame, peer.token);
    for (int i = 0; i < 500; i++) {
      ASSERT_TRUE(wire::append_envelope(frame, {.message_id = ++id, .target = "nobody/x"}).has_value());
    }
    core->on_frame(peer.handle(), frame.bytes(), now);
  }
  EXPECT_EQ(number("parley_broker_sessions"), 0U);
  EXPECT_EQ(number("parley_broker_queued_bytes"), 0U);
}

class BadInput : public Bus {};

TEST_F(BadInput, that_is_no_bundle_is_counted) {
  FakePeer& peer = client();
  for (const std::string_view junk : {"", "x", "PYxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "0123456789abcdef0123"}) {
    deliver(peer.handle(), as_bytes(junk));
  }
  EXPECT_EQ(number("parley_broker_invalid_frames_total"), 4U);
  EXPECT_TRUE(peer.got_nothing());
}

TEST_F(BadInput, behind_good_envelopes_does_not_harm_them) {
  FakePeer& peer = client();
  ByteBuffer frame;
  wire::begin_bundle(frame, peer.token);
  ASSERT_TRUE(wire::append_envelope(frame, {.kind = Kind::heartbeat, .message_id = 3}).has_value());
  frame.append(std::string_view("truncated envelope"));
  deliver(peer.handle(), frame.bytes());
  EXPECT_EQ(peer.count(Kind::heartbeat_ack), 1U);
  EXPECT_EQ(number("parley_broker_invalid_frames_total"), 1U);
}

TEST_F(BadInput, of_unknown_kinds_is_skipped_and_counted) {
  FakePeer& peer = client();
  for (const int kind : {0, 12, 60, 255}) peer.tell({.kind = static_cast<Kind>(kind)});
  EXPECT_EQ(number("parley_broker_unknown_kinds_total"), 4U);
  EXPECT_TRUE(peer.got_nothing());
}

TEST_F(BadInput, of_kinds_that_only_a_broker_says_is_counted) {
  FakePeer& peer = client();
  for (const Kind kind : {Kind::welcome, Kind::reset, Kind::accepted, Kind::activate, Kind::evict})
    peer.tell({.kind = kind});
  EXPECT_EQ(number("parley_broker_invalid_frames_total"), 5U);
}

TEST_F(BadInput, in_control_bodies_is_answered_with_invalid) {
  FakePeer& peer = client();
  for (const Kind kind :
       {Kind::register_type, Kind::unregister_type, Kind::subscribe, Kind::unsubscribe, Kind::query}) {
    const auto id = peer.message({.kind = kind, .payload = as_bytes("\xDD\xFF\xFF\xFF\xFF")});
    const Received error = peer.take(Kind::error);
    EXPECT_EQ(error.message_id, id);
    EXPECT_EQ(error.code, ErrorCode::invalid);
  }
}

// [P-LIM-9]
TEST_F(BadInput, in_a_control_body_over_a_mebibyte_is_refused_unread) {
  FakePeer& peer = client();
  const std::string body(wire::kMaxControlBodyBytes + 1, '\x80');
  const auto id = peer.message({.kind = Kind::query, .payload = as_bytes(body)});
  const Received error = peer.take(Kind::error);
  EXPECT_EQ(error.message_id, id);
  EXPECT_EQ(error.code, ErrorCode::too_large);
}

TEST_F(BadInput, in_hello_opens_no_session) {
  FakePeer& peer = connect();
  peer.tell({.kind = Kind::hello, .payload = as_bytes("\xDD\xFF\xFF\xFF\xFF")});
  peer.take(Kind::reset);
  EXPECT_EQ(number("parley_broker_sessions"), 0U);
}

TEST_F(BadInput, from_many_strangers_keeps_the_state_bounded) {
  for (PeerHandle peer = 1000; peer < 5000; peer++) {
    ByteBuffer frame;
    wire::begin_bundle(frame, SessionToken(1));
    ASSERT_TRUE(wire::append_envelope(frame, {.message_id = 1, .target = "hr/a"}).has_value());
    core->on_frame(peer, frame.bytes(), now);
  }
  EXPECT_EQ(number("parley_broker_resets_total"), 4000U);
  EXPECT_EQ(number("parley_broker_discarded_frames_total"), 4000U - 1024U);
}

TEST_F(BadInput, in_done_is_counted) {
  FakePeer& host = worker({"hr"});
  host.tell({.kind = Kind::done, .payload = as_bytes("odd")});
  EXPECT_EQ(number("parley_broker_invalid_frames_total"), 1U);
}

TEST_F(BadInput, of_random_bytes_in_every_field_never_harms_the_broker) {
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client();
  for (int i = 0; i < 20'000; i++) {
    ByteBuffer frame;
    wire::begin_bundle(frame, random.below(2) == 0 ? host.token : caller.token);
    (void)wire::append_envelope(frame, {.kind = static_cast<Kind>(random.below(36)),
                                        .message_id = random.below(1000),
                                        .delivery_id = random.next(),
                                        .remaining_ms = static_cast<std::uint32_t>(random.below(50)),
                                        .target = random.below(2) == 0 ? "hr/a" : "@x",
                                        .payload = as_bytes("\x82\xa2id\x01")});
    for (std::uint64_t flips = random.below(4); flips > 0; flips--) {
      frame.data()[16 + random.below(frame.size() - 16)] = static_cast<std::byte>(random.below(256));
    }
    core->on_frame(random.below(2) == 0 ? host.handle() : caller.handle(), frame.bytes(), now);
    now += 1ms;
    if (i % 16 == 0) core->on_tick(now, wall());
    if (i % 8 == 0) core->flush(sink, now);
    sink.frames.clear();
  }
  pass(10s);
  EXPECT_EQ(number("parley_broker_sessions"), 0U);
  pass_with_all(std::chrono::minutes(2));
  EXPECT_TRUE(is_clean());
}

}  // namespace
}  // namespace parley::broker
