#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class SessionLife : public Bus {};

TEST_F(SessionLife, begins_with_a_welcome_that_states_the_rules) {
  FakePeer& peer = connect();
  const ByteBuffer body = wire::encode_body(hello_of({}));
  peer.tell({.kind = Kind::hello, .payload = body.bytes()});
  const auto welcome = wire::decode_body<wire::Welcome>(as_bytes(peer.take(Kind::welcome).payload));
  ASSERT_TRUE(welcome.has_value());
  EXPECT_NE(welcome->token, 0U);
  EXPECT_EQ(welcome->shard_epoch, 1U);
  EXPECT_EQ(welcome->heartbeat_ms, 1000U);
  EXPECT_EQ(welcome->session_timeout_ms, 3000U);
}

TEST_F(SessionLife, that_is_unknown_is_reset) {
  FakePeer& peer = connect();
  peer.token = SessionToken(77);
  peer.request("hr/a");
  EXPECT_EQ(peer.take(Kind::reset).kind, Kind::reset);
  EXPECT_TRUE(peer.got_nothing());
}

TEST_F(SessionLife, does_not_take_frames_with_a_token_of_before) {
  FakePeer& peer = client();
  const SessionToken good = peer.token;
  peer.token = SessionToken(good.value() + 1);
  peer.request("hr/a");
  peer.take(Kind::reset);
  peer.token = good;
  peer.heartbeat();
  EXPECT_EQ(peer.count(Kind::heartbeat_ack), 1U);
}

TEST_F(SessionLife, echoes_the_stamp_of_a_heartbeat) {
  FakePeer& peer = client();
  peer.heartbeat(4711);
  EXPECT_EQ(peer.take(Kind::heartbeat_ack).message_id, 4711U);
}

TEST_F(SessionLife, ends_after_silence) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  pass(4s, {&caller});
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::worker_lost);
  EXPECT_EQ(number("parley_broker_sessions"), 1U);
  hr.inbox.clear();
  hr.heartbeat();
  EXPECT_EQ(hr.count(Kind::reset), 1U);
}

TEST_F(SessionLife, goes_on_while_anything_is_heard) {
  FakePeer& peer = client();
  pass(10s, {&peer});
  EXPECT_EQ(number("parley_broker_sessions"), 1U);
}

TEST_F(SessionLife, is_not_ended_for_a_pause_of_the_broker) {
  client();
  now += 30s;
  core->on_tick(now, wall());
  EXPECT_EQ(number("parley_broker_sessions"), 1U);
  EXPECT_EQ(number("parley_broker_pauses_total"), 1U);
  pass(4s);
  EXPECT_EQ(number("parley_broker_sessions"), 0U);
}

TEST_F(SessionLife, is_replaced_by_a_hello_with_the_same_incarnation) {
  const wire::Hello hello = hello_of({"hr"});
  FakePeer& before = connect();
  before.join(hello);
  FakePeer& caller = client();
  caller.request("hr/a");
  FakePeer& after = connect();
  after.join(hello);
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::worker_lost);
  EXPECT_EQ(number("parley_broker_sessions"), 2U);
  caller.request("hr/b");
  EXPECT_EQ(after.count(Kind::request), 1U);
}

TEST_F(SessionLife, keeps_the_activations_that_its_new_hello_announces) {
  wire::Hello hello = hello_of({"hr"});
  FakePeer& before = connect();
  before.join(hello);
  worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  hello.activations = {{"hr/a", before.take(Kind::activate).delivery_id}};
  FakePeer& after = connect();
  after.join(hello);
  caller.request("hr/a");
  EXPECT_EQ(after.count(Kind::request), 1U);
}

// The id may have lived elsewhere meanwhile, under a higher epoch. [P-ACT-7]
TEST_F(SessionLife, gives_an_announced_activation_a_fresh_epoch_before_its_first_message) {
  wire::Hello hello = hello_of({"hr"});
  FakePeer& before = connect();
  before.join(hello);
  FakePeer& caller = client();
  caller.request("hr/a");
  const std::uint64_t old_epoch = before.take(Kind::activate).delivery_id;
  lose(before);
  FakePeer& other = worker({"hr"});
  caller.request("hr/a");
  const std::uint64_t other_epoch = other.take(Kind::activate).delivery_id;
  other.goodbye();
  hello.activations = {{"hr/a", old_epoch}};
  FakePeer& after = connect();
  after.join(hello);
  EXPECT_TRUE(after.got_nothing());
  caller.request("hr/a");
  ASSERT_EQ(after.inbox.size(), 2U);
  EXPECT_EQ(after.inbox[0].kind, Kind::activate);
  EXPECT_GT(after.inbox[0].delivery_id, other_epoch);
  caller.request("hr/a");
  EXPECT_EQ(after.count(Kind::activate), 1U);
}

TEST_F(SessionLife, may_begin_with_a_hello_in_parts) {
  wire::Hello part = hello_of({"hr"});
  part.activations = {{"hr/a", std::uint64_t{1} << 32U | 1U}};
  part.is_last = false;
  FakePeer& host = connect();
  host.join(part);
  EXPECT_TRUE(host.token.is_zero());
  part.types.clear();
  part.activations = {{"hr/b", std::uint64_t{1} << 32U | 2U}};
  part.is_last = true;
  host.join(part);
  EXPECT_FALSE(host.token.is_zero());
  EXPECT_EQ(number("parley_broker_activations"), 2U);
}

TEST_F(SessionLife, with_the_lower_epoch_loses_a_contested_activation) {
  FakePeer& old_host = worker({"hr"});
  client().request("hr/a");
  const std::uint64_t epoch = old_host.take(Kind::activate).delivery_id;
  wire::Hello stale = hello_of({"hr"});
  stale.activations = {{"hr/a", epoch - 1}};
  FakePeer& loser = connect();
  loser.join(stale);
  const Received evict = loser.take(Kind::evict);
  EXPECT_EQ(evict.target, "hr/a");
  EXPECT_EQ(evict.delivery_id, epoch - 1);
  wire::Hello newer = hello_of({"hr"});
  newer.activations = {{"hr/a", epoch + 1}};
  FakePeer& winner = connect();
  winner.join(newer);
  EXPECT_EQ(old_host.take(Kind::evict).delivery_id, epoch);
  client().request("hr/a");
  EXPECT_EQ(winner.count(Kind::request), 1U);
}

TEST_F(SessionLife, is_refused_with_the_reason_when_the_hello_is_wrong) {
  const auto reason_for = [&](const wire::Hello& hello) {
    FakePeer& peer = connect();
    peer.join(hello);
    EXPECT_TRUE(peer.token.is_zero());
    return wire::decode_body<wire::Reason>(as_bytes(peer.take(Kind::reset).payload))->reason;
  };
  wire::Hello hello = hello_of({"hr", "finance"});
  hello.types[1].index = 0;
  EXPECT_EQ(reason_for(hello), "two agent types with index 0");
  hello = hello_of({"hr", "hr"});
  EXPECT_EQ(reason_for(hello), "agent type 'hr' is listed twice");
  hello = hello_of({"h r"});
  EXPECT_EQ(reason_for(hello), "a registered agent type has a bad name");
  hello = hello_of({});
  hello.version_min = 2;
  hello.version_max = 3;
  EXPECT_EQ(reason_for(hello), "this broker speaks protocol version 1, the peer 2 to 3");
  hello = hello_of({});
  hello.incarnation = 0;
  EXPECT_EQ(reason_for(hello), "HELLO needs an incarnation");
  EXPECT_EQ(number("parley_broker_sessions"), 0U);
}

TEST_F(SessionLife, is_refused_when_there_are_too_many) {
  start({.max_sessions = 1});
  FakePeer& only = client();
  for (int i = 0; i < 2; i++) {
    FakePeer& late = client();
    EXPECT_TRUE(late.token.is_zero());
    EXPECT_EQ(wire::decode_body<wire::Reason>(as_bytes(late.take(Kind::reset).payload))->reason,
              "too many sessions: this broker takes 1");
  }
  EXPECT_EQ(std::ranges::count(core->take_events(), CoreEvent::Type::sessions_full, &CoreEvent::type), 1);
  only.goodbye();
  EXPECT_FALSE(client().token.is_zero());
  client();
  EXPECT_EQ(std::ranges::count(core->take_events(), CoreEvent::Type::sessions_full, &CoreEvent::type), 1);
}

TEST_F(SessionLife, is_refused_when_it_brings_too_many_types) {
  start({.max_types = 1});
  EXPECT_FALSE(worker({"hr"}).token.is_zero());
  EXPECT_FALSE(worker({"hr"}).token.is_zero());
  EXPECT_TRUE(worker({"finance"}).token.is_zero());
}

// [P-LIM-13]
TEST_F(SessionLife, is_refused_when_it_brings_too_many_subscriptions) {
  const auto join_with = [&](std::uint64_t subscriptions) {
    wire::Hello hello = hello_of({"hr"});
    for (std::uint64_t id = 1; id <= subscriptions; id++) {
      hello.subscriptions.push_back({id, "topic" + std::to_string(id), false, "hr"});
    }
    FakePeer& peer = connect();
    peer.join(hello);
    return !peer.token.is_zero();
  };
  start({.max_subscriptions = 3, .max_subscriptions_per_session = 2});
  EXPECT_FALSE(join_with(3));
  EXPECT_TRUE(join_with(2));
  EXPECT_FALSE(join_with(2));
  EXPECT_TRUE(join_with(1));
}

TEST_F(SessionLife, ended_by_goodbye_fails_what_was_sent_to_it) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  hr.goodbye();
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::worker_lost);
  EXPECT_TRUE(is_clean());
}

TEST_F(SessionLife, that_drains_keeps_its_activations_and_gets_no_new_ones) {
  FakePeer& old_host = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  old_host.drain();
  FakePeer& new_host = worker({"hr"});
  caller.request("hr/a");
  caller.request("hr/b");
  EXPECT_EQ(old_host.count(Kind::request), 2U);
  EXPECT_EQ(new_host.count(Kind::request), 1U);
}

TEST_F(SessionLife, of_everybody_gets_drain_when_the_broker_shuts_down) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  core->begin_shutdown(now);
  flush();
  hr.take(Kind::drain);
  caller.take(Kind::drain);
  EXPECT_FALSE(core->is_idle());
  caller.request("hr/a");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::shutting_down);
  hr.reply(hr.take(Kind::request));
  caller.take(Kind::reply);
  EXPECT_TRUE(core->is_idle());
}

TEST_F(SessionLife, of_workers_is_the_roster_and_changes_are_told) {
  (void)core->take_events();
  const wire::Hello hello = hello_of({"hr"});
  FakePeer& host = connect();
  host.join(hello);
  client();
  EXPECT_EQ(core->roster(), std::vector<std::uint64_t>{hello.incarnation});
  const auto events = core->take_events();
  EXPECT_EQ(std::ranges::count(events, CoreEvent::Type::roster_changed, &CoreEvent::type), 1);
  EXPECT_EQ(std::ranges::count(events, CoreEvent::Type::session_opened, &CoreEvent::type), 2);
}

class Fences : public Bus {
 protected:
  void SetUp() override { start({.is_gone_proof = false}); }
};

// [P-ACT-8]
TEST_F(Fences, hold_the_ids_of_a_lost_worker_until_its_lease_must_have_ended) {
  FakePeer& cut = worker({"hr"});
  FakePeer& other = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  lose(cut);
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::worker_lost);
  caller.request("hr/a", "1");
  caller.request("hr/a", "2");
  EXPECT_EQ(number("parley_broker_fenced_activations"), 1U);
  pass(2300ms, {&other, &caller});
  EXPECT_EQ(other.count(Kind::request), 0U);
  pass(400ms, {&other, &caller});
  EXPECT_EQ(other.take(Kind::request).payload, "1");
  EXPECT_EQ(other.take(Kind::request).payload, "2");
  EXPECT_EQ(number("parley_broker_fenced_activations"), 0U);
}

TEST_F(Fences, do_not_keep_new_ids_of_the_type_waiting) {
  FakePeer& cut = worker({"hr"});
  FakePeer& other = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  lose(cut);
  caller.request("hr/b");
  EXPECT_EQ(other.count(Kind::request), 1U);
  pass(3s, {&other, &caller});
}

TEST_F(Fences, are_lifted_when_the_same_process_says_hello_again) {
  wire::Hello hello = hello_of({"hr"});
  FakePeer& before = connect();
  before.join(hello);
  FakePeer& caller = client();
  caller.request("hr/a");
  hello.activations = {{"hr/a", before.take(Kind::activate).delivery_id}};
  lose(before);
  caller.request("hr/a", "again");
  FakePeer& after = connect();
  after.join(hello);
  EXPECT_EQ(after.take(Kind::request).payload, "again");
}

TEST_F(Fences, keep_the_order_of_what_was_not_sent_and_what_came_later) {
  FakePeer& cut = worker({"hr"}, 1);
  FakePeer& caller = client();
  for (const std::string_view payload : {"sent", "1", "2"}) caller.request("hr/a", payload);
  EXPECT_EQ(cut.count(Kind::request), 1U);
  lose(cut);
  caller.request("hr/a", "3");
  FakePeer& other = worker({"hr"});
  pass(3s, {&other, &caller});
  for (const std::string_view payload : {"1", "2", "3"}) EXPECT_EQ(other.take(Kind::request).payload, payload);
}

TEST_F(Fences, leave_an_operator_nothing_to_evict) {
  FakePeer& cut = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  lose(cut);
  caller.take(Kind::error);
  caller.ask(Kind::operate, wire::Operate{"evict", "hr/a", "test"});
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::invalid);
}

TEST_F(Fences, are_not_needed_after_goodbye_or_a_full_session_timeout) {
  FakePeer& leaving = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  leaving.goodbye();
  FakePeer& silent = worker({"hr"});
  caller.request("hr/a");
  EXPECT_EQ(silent.count(Kind::request), 1U);
  pass(4s, {&caller});
  caller.request("hr/a");
  EXPECT_EQ(worker({"hr"}).count(Kind::request), 1U);
}

TEST_F(SessionLife, of_a_worker_with_work_in_hand_is_probed_so_that_its_death_is_seen_at_once) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  sink.status[hr.handle()] = SendStatus::gone;
  pass(300ms, {&caller});
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::worker_lost);
}

TEST_F(SessionLife, becomes_a_workers_with_its_first_agent_type) {
  FakePeer& peer = client();
  EXPECT_TRUE(core->roster().empty());
  (void)core->take_events();
  peer.ask(Kind::register_type, wire::TypeRegistration{.name = "hr", .index = 0, .capabilities = {}, .capacity = 1});
  EXPECT_EQ(core->roster().size(), 1U);
  EXPECT_EQ(std::ranges::count(core->take_events(), CoreEvent::Type::roster_changed, &CoreEvent::type), 1);
}

}  // namespace
}  // namespace parley::broker
