#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

/// (message id, recipients) pairs of an ACCEPTED.
std::vector<std::pair<std::uint64_t, std::uint32_t>> accepted_in(const Received& accepted) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> pairs;
  const Bytes bytes = as_bytes(accepted.payload);
  for (std::size_t at = 0; at + 12 <= bytes.size(); at += 12) {
    pairs.emplace_back(wire::load<std::uint64_t>(bytes.data() + at), wire::load<std::uint32_t>(bytes.data() + at + 8));
  }
  return pairs;
}

using Pairs = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

class OneWay : public Bus {
 protected:
  void subscribe(FakePeer& peer, std::string topic, std::string agent_type, bool is_prefix = false) {
    wire::SubscriptionBody body{++next_subscription_, std::move(topic), is_prefix, std::move(agent_type)};
    peer.ask(Kind::subscribe, body);
    peer.take(Kind::reply);
  }
  std::uint64_t next_subscription_ = 0;
};

TEST_F(OneWay, send_is_accepted_delivered_and_done) {
  FakePeer& hr = worker({"hr"});
  FakePeer& sender = client();
  const auto id = sender.send("hr/a", "note");
  EXPECT_EQ(accepted_in(sender.take(Kind::accepted)), (Pairs{{id, 1}}));
  hr.done(hr.take(Kind::send));
  EXPECT_TRUE(is_clean());
  EXPECT_EQ(number("parley_broker_done_total"), 1U);
  EXPECT_EQ(number("parley_broker_dead_letters_total"), 0U);
}

TEST_F(OneWay, send_to_an_unknown_type_is_refused_to_its_sender_and_no_dead_letter) {
  FakePeer& sender = client();
  const auto id = sender.send("nobody/a");
  const Received error = sender.take(Kind::error);
  EXPECT_EQ(error.message_id, id);
  EXPECT_EQ(error.code, ErrorCode::unknown_agent_type);
  EXPECT_TRUE(sender.got_nothing());
  EXPECT_EQ(number("parley_broker_dead_letters_total"), 0U);
  EXPECT_TRUE(is_clean());
}

TEST_F(OneWay, failure_in_the_handler_makes_a_dead_letter_with_its_code) {
  FakePeer& hr = worker({"hr"});
  FakePeer& sender = client();
  sender.send("hr/a", "note");
  hr.fail(hr.take(Kind::send), ErrorCode::no_handler, "no handler for note");
  const auto letters = dead_letters();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].kind, "send");
  EXPECT_EQ(letters[0].target, "hr/a");
  EXPECT_EQ(letters[0].code, "no_handler");
  EXPECT_EQ(letters[0].reason, "no handler for note");
  EXPECT_TRUE(is_clean());
}

TEST_F(OneWay, unfinished_at_a_lost_worker_becomes_a_dead_letter_worker_lost) {
  FakePeer& hr = worker({"hr"});
  client().send("hr/a");
  lose(hr);
  ASSERT_EQ(dead_letters().size(), 1U);
  EXPECT_EQ(dead_letters()[0].code, "worker_lost");
}

TEST_F(OneWay, event_reaches_each_subscribed_type_at_the_key_of_its_source) {
  FakePeer& host = worker({"audit", "billing"});
  subscribe(host, "orders.created", "billing");
  FakePeer& sender = client();
  const auto id = sender.publish("orders.created/eu", "order 1");
  EXPECT_EQ(accepted_in(sender.take(Kind::accepted)), (Pairs{{id, 1}}));
  EXPECT_EQ(host.take(Kind::activate).target, "billing/eu");
  const Received event = host.take(Kind::event);
  EXPECT_EQ(event.recipient, 1);
  EXPECT_EQ(event.target, "orders.created/eu");
  host.done(event);
  EXPECT_TRUE(is_clean());
}

TEST_F(OneWay, overlapping_subscriptions_give_one_delivery_per_agent_type) {
  FakePeer& host = worker({"audit"});
  FakePeer& twin = worker({"audit"});
  subscribe(host, "orders.created", "audit");
  subscribe(host, "orders.", "audit", true);
  subscribe(twin, "", "audit", true);
  client().publish("orders.created/eu");
  EXPECT_EQ(host.count(Kind::event) + twin.count(Kind::event), 1U);
}

TEST_F(OneWay, event_without_a_subscriber_is_accepted_by_nobody_and_a_dead_letter) {
  FakePeer& sender = client();
  const auto id = sender.publish("orders.created/eu");
  EXPECT_EQ(accepted_in(sender.take(Kind::accepted)), (Pairs{{id, 0}}));
  ASSERT_EQ(dead_letters().size(), 1U);
  EXPECT_EQ(dead_letters()[0].code, "no_subscriber");
  EXPECT_TRUE(is_clean());
}

TEST_F(OneWay, event_of_the_system_that_nobody_follows_is_no_dead_letter) {
  FakePeer& sender = client();
  const auto id = sender.publish("sys.events/local");
  EXPECT_EQ(accepted_in(sender.take(Kind::accepted)), (Pairs{{id, 0}}));
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_TRUE(is_clean());
}

TEST_F(OneWay, failing_subscriber_does_not_keep_the_event_from_the_others) {
  FakePeer& bad = worker({"bad"});
  FakePeer& good = worker({"good"});
  subscribe(bad, "news", "bad");
  subscribe(good, "news", "good");
  client().publish("news/x");
  bad.fail(bad.take(Kind::event), ErrorCode::handler_failed, "boom");
  good.done(good.take(Kind::event));
  const auto letters = dead_letters();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].recipient, "bad/x");
}

TEST_F(OneWay, event_is_not_delivered_to_the_agent_that_published_it) {
  FakePeer& host = worker({"chat"});
  subscribe(host, "room", "chat");
  host.publish("room/lobby", "hi", "chat/lobby");
  EXPECT_EQ(host.count(Kind::event), 0U);
  host.publish("room/lobby", "hi", "chat/other");
  EXPECT_EQ(host.count(Kind::event), 1U);
}

TEST_F(OneWay, unsubscribed_topics_deliver_nothing_more) {
  FakePeer& host = worker({"audit"});
  subscribe(host, "orders", "audit");
  host.ask(Kind::unsubscribe, wire::SubscriptionId{next_subscription_});
  host.take(Kind::reply);
  client().publish("orders/eu");
  EXPECT_EQ(host.count(Kind::event), 0U);
}

TEST_F(OneWay, unsubscribing_what_is_not_there_is_done_already) {
  FakePeer& host = worker({"audit"});
  host.ask(Kind::unsubscribe, wire::SubscriptionId{7});
  host.take(Kind::reply);
}

TEST_F(OneWay, subscribing_again_is_done_already_and_counts_once) {
  FakePeer& host = worker({"audit"});
  const wire::SubscriptionBody orders{1, "orders", false, "audit"};
  host.ask(Kind::subscribe, orders);
  host.ask(Kind::subscribe, orders);
  host.take(Kind::reply);
  host.take(Kind::reply);
  host.ask(Kind::unsubscribe, wire::SubscriptionId{1});
  host.take(Kind::reply);
  client().publish("orders/eu");
  EXPECT_EQ(host.count(Kind::event), 0U);
}

TEST_F(OneWay, another_subscription_under_a_known_id_is_invalid) {
  FakePeer& host = worker({"audit"});
  host.ask(Kind::subscribe, wire::SubscriptionBody{1, "orders", false, "audit"});
  host.take(Kind::reply);
  host.ask(Kind::subscribe, wire::SubscriptionBody{1, "refunds", false, "audit"});
  EXPECT_EQ(host.take(Kind::error).code, ErrorCode::invalid);
}

TEST_F(OneWay, message_that_waits_longer_than_its_deadline_is_a_dead_letter_timeout) {
  FakePeer& hr = worker({"hr"});
  lose(hr);
  client().send("hr/a", "note", 300);
  pass_with_all(301ms);
  ASSERT_EQ(dead_letters().size(), 1U);
  EXPECT_EQ(dead_letters()[0].code, "timeout");
}

TEST_F(OneWay, message_with_the_worker_has_no_deadline_of_the_broker) {
  start({.one_way_ttl = 100ms});
  FakePeer& hr = worker({"hr"});
  client().send("hr/a");
  const Received note = hr.take(Kind::send);
  pass_with_all(500ms);
  EXPECT_EQ(hr.count(Kind::cancel), 0U);
  hr.done(note);
  EXPECT_EQ(number("parley_broker_done_total"), 1U);
}

TEST_F(OneWay, done_for_what_is_not_ones_own_is_counted) {
  FakePeer& hr = worker({"hr"});
  FakePeer& other = worker({"other"});
  client().send("hr/a");
  const Received note = hr.take(Kind::send);
  other.done(note);
  EXPECT_EQ(number("parley_broker_stale_replies_total"), 1U);
  EXPECT_EQ(number("parley_broker_inflight"), 1U);
}

TEST_F(OneWay, event_to_a_malformed_topic_is_invalid) {
  FakePeer& sender = client();
  sender.publish("no spaces/x");
  EXPECT_EQ(sender.take(Kind::error).code, ErrorCode::invalid);
}

TEST_F(OneWay, capability_goes_to_the_offering_type_with_the_least_in_flight) {
  wire::Hello hello = hello_of({"fast", "slow"});
  hello.types[0].capabilities = {"translate"};
  hello.types[1].capabilities = {"translate"};
  FakePeer& host = connect();
  host.join(hello);
  FakePeer& caller = client();
  caller.request("@translate/doc");
  caller.request("@translate/doc");
  const Received one = host.take(Kind::request);
  const Received two = host.take(Kind::request);
  EXPECT_NE(one.recipient, two.recipient);
  EXPECT_EQ(one.target, "@translate/doc");
}

TEST_F(OneWay, capability_that_nobody_offers_is_unknown) {
  FakePeer& caller = client();
  caller.request("@paint");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::unknown_agent_type);
}

TEST_F(OneWay, capability_prefers_a_type_with_a_live_worker) {
  wire::Hello gone = hello_of({"gone"});
  gone.types[0].capabilities = {"translate"};
  FakePeer& lost = connect();
  lost.join(gone);
  wire::Hello live = hello_of({"live"});
  live.types[0].capabilities = {"translate"};
  FakePeer& host = connect();
  host.join(live);
  lose(lost);
  FakePeer& caller = client();
  caller.request("@translate");
  caller.request("@translate");
  EXPECT_EQ(host.count(Kind::request), 2U);
}

// [P-LIM-13]
TEST_F(OneWay, subscription_beyond_the_limit_of_a_session_or_of_the_broker_is_overloaded) {
  start({.max_subscriptions = 3, .max_subscriptions_per_session = 2});
  FakePeer& host = worker({"hr"});
  FakePeer& twin = worker({"hr"});
  subscribe(host, "a", "hr");
  subscribe(host, "b", "hr");
  const auto is_refused = [this](FakePeer& peer) {
    wire::SubscriptionBody body{++next_subscription_, "c", false, "hr"};
    peer.ask(Kind::subscribe, body);
    return peer.count(Kind::error) > 0 && peer.take(Kind::error).code == ErrorCode::overloaded;
  };
  EXPECT_TRUE(is_refused(host)) << "a session";
  subscribe(twin, "c", "hr");
  EXPECT_TRUE(is_refused(twin)) << "the broker";
}

}  // namespace
}  // namespace parley::broker
