#include "tests/unit/link/link_fixture.hpp"

namespace parley::link {
namespace {

using wire::Kind;

class LinkSession : public LinkTest {};

// [P-PEER-1]
TEST_F(LinkSession, says_hello_on_a_fresh_connection_with_all_that_the_process_has) {
  link.add_type({.name = "critic", .index = 3, .capabilities = {"review"}, .capacity = 2});
  link.add_type({.name = "gone", .index = 4, .capabilities = {}, .capacity = 1});
  link.remove_type("gone");
  link.add_subscription({.id = 9, .topic = "orders", .is_prefix = true, .agent_type = "critic"});
  link.on_opened(now);
  const auto hellos = send_hello();
  ASSERT_EQ(hellos.size(), 1U);
  EXPECT_EQ(hellos[0].name, "tester");
  EXPECT_EQ(hellos[0].incarnation, 5U);
  EXPECT_TRUE(hellos[0].is_worker);
  EXPECT_EQ(hellos[0].credit_bytes, 16'000'000U);
  ASSERT_EQ(hellos[0].types.size(), 1U);
  EXPECT_EQ(hellos[0].types[0].index, 3U);
  ASSERT_EQ(hellos[0].subscriptions.size(), 1U);
  EXPECT_TRUE(hellos[0].is_last);
}

TEST_F(LinkSession, of_a_process_without_agents_is_no_workers) {
  link.on_opened(now);
  EXPECT_FALSE(send_hello().at(0).is_worker);
}

// [P-PEER-1] [P-LIM-10]
TEST_F(LinkSession, splits_a_hello_with_many_activations) {
  open_session();
  for (int i = 0; i < 1100; ++i) {
    const std::string id = "critic/" + std::to_string(i);
    EXPECT_TRUE(link.on_frame(frame(kToken, {{.kind = Kind::activate, .delivery_id = 7, .target = id}}).bytes(), now));
  }
  link.on_disconnected(now);
  link.on_opened(now);
  const auto hellos = send_hello();
  ASSERT_EQ(hellos.size(), 3U);
  EXPECT_EQ(hellos[0].activations.size(), wire::kMaxActivationsPerHello);
  EXPECT_EQ(hellos[2].activations.size(), 1100 - 2 * wire::kMaxActivationsPerHello);
  EXPECT_FALSE(hellos[0].is_last);
  EXPECT_FALSE(hellos[1].is_last);
  EXPECT_TRUE(hellos[2].is_last);
}

TEST_F(LinkSession, announces_an_activation_until_it_is_deactivated_or_evicted) {
  open_session();
  for (const std::string_view id : {"critic/kept", "critic/put-away", "critic/evicted"}) {
    EXPECT_TRUE(link.on_frame(frame(kToken, {{.kind = Kind::activate, .delivery_id = 7, .target = id}}).bytes(), now));
  }
  EXPECT_TRUE(
      link.on_frame(frame(kToken, {{.kind = Kind::evict, .delivery_id = 8, .target = "critic/evicted"}}).bytes(), now));
  ByteBuffer deactivated;
  ASSERT_TRUE(
      wire::append_envelope(deactivated, {.kind = Kind::deactivated, .delivery_id = 7, .target = "critic/put-away"}));
  ASSERT_TRUE(link.submit(deactivated.bytes(), now));
  link.on_disconnected(now);
  link.on_opened(now);
  const auto hellos = send_hello();
  ASSERT_EQ(hellos[0].activations.size(), 1U);
  EXPECT_EQ(hellos[0].activations[0], (wire::LiveActivation{.id = "critic/kept", .epoch = 7}));
}

TEST_F(LinkSession, tells_the_host_the_rules_of_welcome) {
  link.on_opened(now);
  EXPECT_FALSE(link.on_frame(welcome(kToken).bytes(), now));
  EXPECT_EQ(next_event<SessionReady>()->welcome.token, kToken);
  EXPECT_EQ(link.session(), SessionToken(kToken));
}

// [P-PEER-1]
TEST_F(LinkSession, sends_nothing_but_hello_before_welcome) {
  submit(Kind::request, {1});
  link.on_opened(now);
  EXPECT_EQ(send_all()[0].kinds, std::vector{Kind::hello});
  EXPECT_FALSE(link.next_frame(now));
}

// [P-PEER-2]
TEST_F(LinkSession, puts_the_token_of_welcome_into_every_bundle) {
  submit(Kind::request, {1});
  open_session();
  pass(1s);
  for (const Sent& sent : send_all()) EXPECT_EQ(sent.token, SessionToken(kToken));
}

// [P-PEER-2]
TEST_F(LinkSession, drops_and_counts_bundles_of_another_session) {
  open_session();
  EXPECT_FALSE(link.on_frame(frame(kToken + 1, {{.kind = Kind::reply, .message_id = 1}}).bytes(), now));
  EXPECT_EQ(link.counters().stale_frames, 1U);
}

TEST_F(LinkSession, hands_data_to_the_host_and_keeps_control_to_itself) {
  open_session();
  EXPECT_TRUE(link.on_frame(frame(kToken, {{.kind = Kind::reply, .message_id = 1}}).bytes(), now));
  EXPECT_TRUE(link.on_frame(frame(kToken, {{.kind = Kind::accepted}}).bytes(), now));
  EXPECT_TRUE(link.on_frame(frame(kToken, {{.kind = Kind::inspect, .message_id = 1, .target = "a/b"}}).bytes(), now));
  EXPECT_FALSE(link.on_frame(frame(kToken, {{.kind = Kind::heartbeat_ack}}).bytes(), now));
  EXPECT_FALSE(link.on_frame(as_bytes("no bundle at all"), now));
  EXPECT_EQ(link.counters().malformed_frames, 1U);
}

TEST_F(LinkSession, skips_kinds_that_it_does_not_know) {
  open_session();
  EXPECT_FALSE(link.on_frame(frame(kToken, {{.kind = static_cast<Kind>(200)}}).bytes(), now));
  EXPECT_TRUE(link.is_ready());
}

// [P-PEER-3]; the trap: two peers with one routing id make the second a black hole
TEST_F(LinkSession, asks_for_a_fresh_connection_when_hello_is_not_answered_in_time) {
  link.on_opened(now);
  now += 2s;
  link.on_tick(now);
  EXPECT_FALSE(link.take_reopen(now));
  now += 50ms;
  EXPECT_TRUE(link.take_reopen(now));
  EXPECT_FALSE(link.take_reopen(now));
}

// [P-PEER-3] [P-HB-8]
TEST_F(LinkSession, waits_longer_after_each_failure_up_to_a_second) {
  link.on_opened(now);
  std::vector<Duration> waits;
  for (int i = 0; i < 8; ++i) {
    now += 2s;
    link.on_tick(now);
    waits.push_back(link.next_wakeup() - now);
    now = link.next_wakeup();
    ASSERT_TRUE(link.take_reopen(now));
    link.on_opened(now);
  }
  EXPECT_LE(waits.front(), 50ms);
  EXPECT_GE(waits.front(), 25ms);
  EXPECT_GE(waits.back(), 500ms);
  EXPECT_LE(waits.back(), 1s);
}

// [P-PEER-3]
TEST_F(LinkSession, ends_on_reset_and_comes_back) {
  open_session();
  EXPECT_FALSE(link.on_frame(with_reason(0, Kind::reset, "who are you").bytes(), now));
  EXPECT_FALSE(link.is_ready());
  EXPECT_THAT(next_event<SessionLost>()->reason, testing::HasSubstr("who are you"));
  now += 50ms;
  EXPECT_TRUE(link.take_reopen(now));
  open_session(kToken + 1);
  EXPECT_TRUE(link.is_ready());
}

TEST_F(LinkSession, ends_on_the_brokers_goodbye) {
  open_session();
  EXPECT_FALSE(link.on_frame(with_reason(kToken, Kind::goodbye, "maintenance").bytes(), now));
  EXPECT_THAT(next_event<SessionLost>()->reason, testing::HasSubstr("maintenance"));
}

TEST_F(LinkSession, tells_a_refusal_and_tries_again) {
  link.on_opened(now);
  EXPECT_FALSE(link.on_frame(with_reason(0, Kind::goodbye, "too many sessions").bytes(), now));
  EXPECT_EQ(next_event<SessionRefused>()->reason, "too many sessions");
  now += 50ms;
  EXPECT_TRUE(link.take_reopen(now));
}

TEST_F(LinkSession, does_not_take_a_late_reset_of_an_old_session_for_a_refusal) {
  link.on_opened(now);
  EXPECT_FALSE(link.on_frame(with_reason(kToken, Kind::reset, "").bytes(), now));
  EXPECT_FALSE(link.take_event());
  EXPECT_FALSE(link.on_frame(welcome(kToken + 1).bytes(), now));
  EXPECT_TRUE(link.is_ready());
}

// [P-PEER-3]
TEST_F(LinkSession, ends_when_the_broker_is_silent_for_the_session_timeout) {
  open_session();
  pass(2999ms);
  EXPECT_TRUE(link.is_ready());
  pass(1ms);
  EXPECT_FALSE(link.is_ready());
  EXPECT_TRUE(next_event<SessionLost>());
}

TEST_F(LinkSession, takes_any_frame_of_the_session_as_life) {
  open_session();
  pass(2s);
  EXPECT_FALSE(link.on_frame(frame(kToken, {{.kind = Kind::heartbeat_ack}}).bytes(), now));
  pass(2s);
  EXPECT_TRUE(link.is_ready());
}

TEST_F(LinkSession, does_not_blame_the_broker_for_its_own_pause) {
  open_session();
  now += 10s;
  link.on_tick(now);
  EXPECT_TRUE(link.is_ready());
}

TEST_F(LinkSession, passes_on_the_wish_to_drain) {
  open_session();
  EXPECT_FALSE(link.on_frame(frame(kToken, {{.kind = Kind::drain}}).bytes(), now));
  EXPECT_TRUE(next_event<DrainRequested>());
  EXPECT_TRUE(link.is_ready());
}

// [P-PEER-6]
TEST_F(LinkSession, says_goodbye_behind_everything_that_waits) {
  open_session();
  submit(Kind::request, {1});
  link.say_goodbye("stopping", now);
  link.say_goodbye("again", now);
  EXPECT_EQ(link.submit(batch(Kind::request, {2}).bytes(), now).error().code, ErrorCode::shutting_down);
  const auto all = send_all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].kinds, std::vector{Kind::request});
  EXPECT_EQ(all[1].kinds, std::vector{Kind::goodbye});
  EXPECT_TRUE(link.is_closed());
  EXPECT_FALSE(link.take_reopen(now + 1h));
}

TEST_F(LinkSession, closes_at_once_when_there_is_nobody_to_say_goodbye_to) {
  link.on_opened(now);
  link.say_goodbye("stopping", now);
  EXPECT_TRUE(link.is_closed());
  EXPECT_FALSE(link.next_frame(now));
}

// [P-HB-1]
TEST_F(LinkSession, sends_a_heartbeat_with_its_clock_every_interval) {
  open_session();
  pass(1s);
  const auto all = send_all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kinds, std::vector{Kind::heartbeat});
  EXPECT_EQ(all[0].message_ids[0], static_cast<std::uint64_t>(now.time_since_epoch().count()));
}

// [P-HB-2]
TEST_F(LinkSession, holds_its_lease_for_four_fifths_of_the_timeout_after_sending_hello) {
  const TimePoint hello_at = now;
  link.on_opened(now);
  now += 500ms;
  EXPECT_FALSE(link.on_frame(welcome(kToken).bytes(), now));
  EXPECT_EQ(link.lease_until(), hello_at + 2400ms);
}

// [P-HB-2]
TEST_F(LinkSession, renews_its_lease_from_the_time_the_echoed_heartbeat_was_sent) {
  open_session();
  pass(1s);
  const std::uint64_t stamp = send_all()[0].message_ids[0];
  const TimePoint sent_at = now;
  now += 700ms;
  EXPECT_FALSE(link.on_frame(frame(kToken, {{.kind = Kind::heartbeat_ack, .message_id = stamp}}).bytes(), now));
  EXPECT_EQ(link.lease_until(), sent_at + 2400ms);
}

TEST_F(LinkSession, does_not_believe_an_echo_from_the_future) {
  open_session();
  const TimePoint before = link.lease_until();
  const auto future = static_cast<std::uint64_t>((now + 1h).time_since_epoch().count());
  EXPECT_FALSE(link.on_frame(frame(kToken, {{.kind = Kind::heartbeat_ack, .message_id = future}}).bytes(), now));
  EXPECT_EQ(link.lease_until(), before);
}

// [P-HB-4]
TEST_F(LinkSession, gives_up_its_lease_when_it_is_lost_for_whatever_reason) {
  open_session();
  link.on_disconnected(now);
  EXPECT_EQ(link.lease_until(), now);
  EXPECT_TRUE(next_event<SessionLost>());
  open_session(kToken + 1);
  EXPECT_FALSE(link.on_frame(with_reason(0, Kind::reset, "").bytes(), now));
  EXPECT_EQ(link.lease_until(), now);
}

}  // namespace
}  // namespace parley::link
