#include "tests/unit/link/link_fixture.hpp"

namespace parley::link {
namespace {

using wire::Kind;

class LinkTraffic : public LinkTest {};

TEST_F(LinkTraffic, bundles_what_waits_in_order) {
  open_session();
  submit(Kind::request, {1, 2});
  submit(Kind::send, {3});
  const auto all = send_all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].message_ids, (std::vector<std::uint64_t>{1, 2, 3}));
}

// [P-BND-6] [P-LIM-12]
TEST_F(LinkTraffic, splits_a_big_batch_at_envelope_borders) {
  open_session();
  std::vector<std::uint64_t> ids(200);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i + 1;
  submit(Kind::request, ids, 1000);
  std::vector<std::uint64_t> seen;
  const auto all = send_all();
  EXPECT_EQ(all.size(), 4U);
  for (const Sent& sent : all) {
    EXPECT_LE(sent.bytes, wire::kBundleTargetBytes);
    seen.insert(seen.end(), sent.message_ids.begin(), sent.message_ids.end());
  }
  EXPECT_EQ(seen, ids);
}

// [P-BND-6]
TEST_F(LinkTraffic, sends_a_large_envelope_alone) {
  open_session();
  submit(Kind::request, {1});
  submit(Kind::request, {2}, 100'000);
  submit(Kind::request, {3});
  const auto all = send_all();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].message_ids, std::vector<std::uint64_t>{2});
}

TEST_F(LinkTraffic, sends_control_before_data) {
  open_session();
  pass(1s);
  submit(Kind::request, {1});
  const auto all = send_all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].kinds, std::vector{Kind::heartbeat});
}

TEST_F(LinkTraffic, takes_a_frame_back_and_sends_it_again_first) {
  open_session();
  submit(Kind::request, {1});
  link.give_back(*link.next_frame(now));
  submit(Kind::request, {2});
  EXPECT_EQ(sent_ids(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(LinkTraffic, does_not_count_a_frame_as_sent_that_was_given_back) {
  open_session();
  submit(Kind::request, {1});
  send_all();
  submit(Kind::request, {2});
  link.give_back(*link.next_frame(now));
  link.on_disconnected(now);
  EXPECT_EQ(next_event<SessionLost>()->last_sent, MessageId(1));
  open_session(kToken + 1);
  EXPECT_EQ(sent_ids(), std::vector<std::uint64_t>{2});
}

TEST_F(LinkTraffic, gives_hello_heartbeat_and_goodbye_a_second_try_as_well) {
  link.on_opened(now);
  link.give_back(*link.next_frame(now));
  EXPECT_EQ(send_hello().size(), 1U);
  EXPECT_FALSE(link.on_frame(welcome(kToken).bytes(), now));
  pass(1s);
  link.give_back(*link.next_frame(now));
  EXPECT_EQ(send_all()[0].kinds, std::vector{Kind::heartbeat});
  link.say_goodbye("stopping", now);
  link.give_back(*link.next_frame(now));
  EXPECT_FALSE(link.is_closed());
  EXPECT_EQ(send_all()[0].kinds, std::vector{Kind::goodbye});
}

// [P-PEER-4]
TEST_F(LinkTraffic, keeps_unsent_requests_for_the_next_session) {
  open_session();
  submit(Kind::request, {1});
  send_all();
  submit(Kind::request, {2});
  link.on_disconnected(now);
  EXPECT_EQ(next_event<SessionLost>()->last_sent, MessageId(1));
  submit(Kind::request, {3});
  open_session(kToken + 1);
  EXPECT_EQ(sent_ids(), (std::vector<std::uint64_t>{2, 3}));
}

// [P-PEER-5]
TEST_F(LinkTraffic, drops_replies_of_a_lost_session) {
  open_session();
  submit(Kind::reply, {0});
  submit(Kind::request, {1});
  submit(Kind::done, {0});
  submit(Kind::inspect, {9});
  link.on_disconnected(now);
  submit(Kind::part, {0});
  open_session(kToken + 1);
  EXPECT_EQ(sent_ids(), std::vector<std::uint64_t>{1});
  EXPECT_EQ(link.counters().dropped_envelopes, 4U);
}

// [P-PEER-5]
TEST_F(LinkTraffic, drops_replies_that_the_host_wrote_before_it_heard_of_the_new_session) {
  open_session();
  link.on_disconnected(now);
  open_session(kToken + 1);
  ByteBuffer late = batch(Kind::request, {1});
  late.append(batch(Kind::reply, {0}).bytes());
  late.append(batch(Kind::request, {2}).bytes());
  ASSERT_TRUE(link.submit(late.bytes(), now, SessionToken(kToken)));
  EXPECT_EQ(sent_ids(), (std::vector<std::uint64_t>{1, 2}));
}

// [P-PEER-5]
TEST_F(LinkTraffic, drops_cancels_of_requests_that_were_lost_but_keeps_those_that_wait) {
  open_session();
  submit(Kind::request, {1});
  send_all();
  submit(Kind::request, {2});
  submit(Kind::cancel, {1, 2});
  link.on_disconnected(now);
  submit(Kind::cancel, {1});
  open_session(kToken + 1);
  EXPECT_EQ(sent_ids(), (std::vector<std::uint64_t>{2, 2}));
}

// [P-PEER-4]
TEST_F(LinkTraffic, takes_waiting_time_off_the_deadline) {
  ASSERT_TRUE(link.submit(batch(Kind::request, {1}, 0, 5000).bytes(), now));
  now += 1200ms;
  open_session();
  EXPECT_EQ(send_all()[0].remaining_ms, std::vector<std::uint32_t>{3800});
}

// [P-PEER-4]
TEST_F(LinkTraffic, does_not_send_what_expired_while_it_waited) {
  ASSERT_TRUE(link.submit(batch(Kind::request, {1}, 0, 1000).bytes(), now));
  ASSERT_TRUE(link.submit(batch(Kind::request, {2}, 0, 5000).bytes(), now));
  now += 1s;
  open_session();
  EXPECT_EQ(sent_ids(), std::vector<std::uint64_t>{2});
  EXPECT_EQ(link.counters().expired_envelopes, 1U);
}

TEST_F(LinkTraffic, takes_waiting_time_off_once_when_a_frame_comes_back) {
  open_session();
  ASSERT_TRUE(link.submit(batch(Kind::request, {1}, 0, 5000).bytes(), now));
  now += 100ms;
  link.give_back(*link.next_frame(now));
  now += 100ms;
  EXPECT_EQ(send_all()[0].remaining_ms, std::vector<std::uint32_t>{4800});
}

class SmallLinkTraffic : public LinkTraffic {
 protected:
  SmallLinkTraffic() {
    PeerLinkConfig small = config();
    small.max_waiting_envelopes = 2;
    small_link.emplace(small, random);
  }
  Result<> submit_small(Kind kind, const std::vector<std::uint64_t>& ids) {
    return small_link->submit(batch(kind, ids).bytes(), now);
  }
  std::optional<PeerLink> small_link;
};

TEST_F(SmallLinkTraffic, refuses_a_request_when_too_much_waits_and_takes_nothing_of_it) {
  EXPECT_TRUE(submit_small(Kind::request, {1, 2}));
  EXPECT_EQ(submit_small(Kind::request, {3}).error().code, ErrorCode::overloaded);
  small_link->on_opened(now);
  EXPECT_FALSE(small_link->on_frame(welcome(kToken).bytes(), now));
  EXPECT_EQ(read(*small_link->next_frame(now)).message_ids, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(SmallLinkTraffic, takes_replies_where_it_refuses_requests) {
  small_link->on_opened(now);
  EXPECT_FALSE(small_link->on_frame(welcome(kToken).bytes(), now));
  EXPECT_TRUE(submit_small(Kind::reply, {0, 0, 0, 0}));
  EXPECT_FALSE(submit_small(Kind::request, {1}));
  EXPECT_FALSE(submit_small(Kind::reply, {0}));
}

TEST_F(LinkTraffic, always_has_room_for_errors_that_end_a_delivery) {
  PeerLinkConfig narrow = config();
  narrow.max_waiting_envelopes = 1;
  PeerLink full(narrow, random);
  full.on_opened(now);
  while (full.next_frame(now)) {
  }
  full.on_frame(welcome(kToken).bytes(), now);
  ASSERT_TRUE(full.submit(batch(Kind::reply, {0, 0}).bytes(), now));
  EXPECT_EQ(full.submit(batch(Kind::part, {0}).bytes(), now).error().code, ErrorCode::overloaded);
  EXPECT_TRUE(full.submit(batch(Kind::error, {0, 0}).bytes(), now));
  EXPECT_TRUE(full.submit(batch(Kind::done, {0}).bytes(), now));
}

TEST_F(LinkTraffic, refuses_bytes_that_are_not_whole_envelopes) {
  const ByteBuffer whole = batch(Kind::request, {1});
  EXPECT_EQ(link.submit(whole.bytes().first(whole.size() - 1), now).error().code, ErrorCode::invalid);
  EXPECT_EQ(link.submit(as_bytes("short"), now).error().code, ErrorCode::invalid);
}

// [P-CRD-2]
TEST_F(LinkTraffic, reports_what_was_consumed_at_an_eighth_of_its_window) {
  open_session();
  link.consumed(900'000);
  EXPECT_TRUE(send_all().empty());
  link.consumed(200'000);
  const auto all = send_all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kinds, std::vector{Kind::credit});
  EXPECT_EQ(all[0].message_ids, std::vector<std::uint64_t>{1'100'000});
}

TEST_F(LinkTraffic, reports_small_amounts_with_the_next_heartbeat) {
  open_session();
  link.consumed(10);
  pass(1s);
  EXPECT_EQ(send_all()[0].kinds, (std::vector{Kind::heartbeat, Kind::credit}));
}

// The broker may wait to send a frame that needs the whole window. [P-CRD-2]
TEST_F(LinkTraffic, holds_no_credit_back_when_the_largest_frame_may_need_it) {
  PeerLinkConfig small = config();
  small.credit_bytes = 4000;
  PeerLink modest(small, random);
  modest.on_opened(now);
  while (modest.next_frame(now)) {
  }
  modest.on_frame(welcome(kToken).bytes(), now);
  modest.consumed(10);
  const auto frame = modest.next_frame(now);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(read(*frame).kinds, std::vector{Kind::credit});
  const std::uint64_t ample = std::uint64_t{64} << 20U;
  EXPECT_EQ(max_unreported(ample), ample / 16);
  const std::uint64_t tight = wire::kMaxFrameBytes + 1000;
  EXPECT_EQ(max_unreported(tight), 500U);
}

TEST_F(LinkTraffic, does_not_count_bytes_of_a_lost_session) {
  open_session();
  link.consumed(5'000'000);
  link.on_disconnected(now);
  open_session(kToken + 1);
  link.consumed(5'000'000, SessionToken(kToken));
  link.consumed(2'000'000, SessionToken(kToken + 1));
  EXPECT_EQ(send_all()[0].message_ids, std::vector<std::uint64_t>{2'000'000});
}

TEST_F(LinkTraffic, charges_credit_for_data_frames_only) {
  const ByteBuffer data = frame(kToken, {{.kind = Kind::reply}, {.kind = Kind::reply}});
  const ByteBuffer control = frame(kToken, {{.kind = Kind::accepted}});
  EXPECT_EQ(credit_cost(data.bytes()), data.size());
  EXPECT_EQ(credit_cost(control.bytes()), 0U);
  EXPECT_EQ(credit_cost(as_bytes("nonsense")), 0U);
}

TEST_F(LinkTraffic, consumes_by_itself_a_data_frame_that_the_host_never_sees) {
  open_session();
  const std::string payload(2'000'000, 'x');
  EXPECT_FALSE(
      link.on_frame(frame(kToken, {{.kind = static_cast<Kind>(99), .payload = as_bytes(payload)}}).bytes(), now));
  EXPECT_EQ(send_all()[0].kinds, std::vector{Kind::credit});
}

}  // namespace
}  // namespace parley::link
