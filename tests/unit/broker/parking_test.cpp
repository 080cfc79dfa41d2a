#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class Parking : public Bus {};

TEST_F(Parking, keeps_messages_of_a_restarting_type_in_order) {
  lose(worker({"hr"}));
  FakePeer& caller = client();
  for (const std::string_view payload : {"1", "2", "3"}) caller.request("hr/a", payload);
  EXPECT_TRUE(caller.got_nothing());
  EXPECT_EQ(number("parley_broker_parked"), 3U);
  FakePeer& back = worker({"hr"});
  EXPECT_EQ(back.inbox.at(0).kind, Kind::activate);
  EXPECT_EQ(back.take(Kind::request).payload, "1");
  EXPECT_EQ(back.take(Kind::request).payload, "2");
  EXPECT_EQ(back.take(Kind::request).payload, "3");
  EXPECT_EQ(number("parley_broker_parked"), 0U);
}

TEST_F(Parking, ends_in_timeout_at_the_deadline) {
  lose(worker({"hr"}));
  FakePeer& caller = client();
  caller.request("hr/a", "x", 100);
  pass(101ms);
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::timeout);
  EXPECT_TRUE(is_clean());
}

TEST_F(Parking, passes_on_the_time_that_is_left) {
  lose(worker({"hr"}));
  client().request("hr/a", "x", 1000);
  pass_with_all(400ms);
  EXPECT_EQ(worker({"hr"}).take(Kind::request).remaining_ms, 600U);
}

TEST_F(Parking, is_bounded_in_number) {
  start({.max_parked_per_type = 2});
  lose(worker({"hr"}));
  FakePeer& caller = client();
  for (int i = 0; i < 3; i++) caller.request("hr/a");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::overloaded);
  EXPECT_EQ(number("parley_broker_parked"), 2U);
}

TEST_F(Parking, is_bounded_in_bytes) {
  start({.max_parked_bytes_per_type = 1000});
  lose(worker({"hr"}));
  FakePeer& sender = client();
  sender.send("hr/a", std::string(800, 'x'));
  sender.send("hr/a", std::string(800, 'x'));
  EXPECT_EQ(sender.take(Kind::error).code, ErrorCode::overloaded);
}

TEST_F(Parking, ends_when_the_type_is_forgotten) {
  start({.type_memory = 5s});
  lose(worker({"hr"}));
  FakePeer& caller = client();
  caller.request("hr/a");
  pass(6s, {&caller});
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::undeliverable);
  caller.request("hr/a");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::unknown_agent_type);
}

TEST_F(Parking, does_not_happen_to_a_type_that_was_unregistered) {
  FakePeer& host = worker({"hr"});
  host.ask(Kind::unregister_type, wire::TypeName{"hr"});
  host.take(Kind::reply);
  FakePeer& caller = client();
  caller.request("hr/a");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::unknown_agent_type);
}

TEST_F(Parking, includes_events_for_a_worker_that_crashed) {
  wire::Hello hello = hello_of({"audit"});
  hello.subscriptions = {{1, "orders", false, "audit"}};
  FakePeer& host = connect();
  host.join(hello);
  lose(host);
  client().publish("orders/eu");
  hello.incarnation = 9999;
  FakePeer& back = connect();
  back.join(hello);
  EXPECT_EQ(back.count(Kind::event), 1U);
  client().publish("orders/eu");
  EXPECT_EQ(back.count(Kind::event), 2U);
  EXPECT_EQ(number("parley_broker_subscriptions"), 1U);
}

TEST_F(Parking, does_not_keep_subscriptions_of_a_peer_that_said_goodbye) {
  wire::Hello hello = hello_of({"audit"});
  hello.subscriptions = {{1, "orders", false, "audit"}};
  FakePeer& host = connect();
  host.join(hello);
  host.goodbye();
  EXPECT_EQ(number("parley_broker_subscriptions"), 0U);
}

TEST_F(Parking, ends_when_a_type_is_registered_at_run_time) {
  lose(worker({"hr"}));
  client().request("hr/a");
  FakePeer& host = client();
  wire::TypeRegistration type;
  type.name = "hr";
  type.index = 5;
  host.ask(Kind::register_type, type);
  EXPECT_EQ(host.take(Kind::request).recipient, 5);
}

TEST_F(Parking, gives_what_was_not_sent_to_another_worker) {
  FakePeer& slow = worker({"hr"}, 1);
  FakePeer& caller = client();
  caller.request("hr/a", "sent");
  caller.request("hr/a", "unsent 1");
  caller.send("hr/a", "unsent 2");
  FakePeer& other = worker({"hr"});
  lose(slow);
  EXPECT_EQ(caller.take(Kind::error).message_id, 1U);
  EXPECT_EQ(other.take(Kind::request).payload, "unsent 1");
  EXPECT_EQ(other.take(Kind::send).payload, "unsent 2");
}

class Recovery : public Bus {
 protected:
  void SetUp() override { start({.is_restart = true, .expected_workers = {501, 502}}); }
  FakePeer& back(std::uint64_t incarnation, std::vector<wire::LiveActivation> activations = {}) {
    wire::Hello hello = hello_of({"hr"});
    hello.incarnation = incarnation;
    hello.activations = std::move(activations);
    FakePeer& peer = connect();
    peer.join(hello);
    return peer;
  }
};

TEST_F(Recovery, holds_messages_of_unknown_types_until_the_window_ends) {
  FakePeer& caller = client();
  caller.request("hr/a");
  EXPECT_TRUE(caller.got_nothing());
  pass(2500ms, {&caller});
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::unknown_agent_type);
  EXPECT_TRUE(is_clean());
}

TEST_F(Recovery, does_not_place_an_id_that_another_worker_may_have) {
  FakePeer& first = back(501);
  FakePeer& caller = client();
  caller.request("hr/a");
  EXPECT_EQ(first.count(Kind::request), 0U);
  FakePeer& second = back(502, {{"hr/a", 7}});
  EXPECT_EQ(first.count(Kind::request), 0U);
  EXPECT_EQ(second.count(Kind::request), 1U);
  EXPECT_GT(second.take(Kind::activate).delivery_id, 7U);
}

TEST_F(Recovery, serves_announced_ids_at_once) {
  FakePeer& first = back(501, {{"hr/a", 7}});
  client().request("hr/a");
  EXPECT_EQ(first.count(Kind::request), 1U);
}

TEST_F(Recovery, keeps_the_order_of_a_sender_that_has_something_waiting) {
  FakePeer& first = back(501, {{"hr/a", 7}});
  FakePeer& caller = client();
  caller.publish("news/a", "1");
  caller.request("hr/a", "2");
  EXPECT_EQ(first.count(Kind::request), 0U);
  pass(2500ms, {&first, &caller});
  EXPECT_EQ(first.count(Kind::request), 1U);
  EXPECT_EQ(number("parley_broker_dead_letters_total"), 1U);
}

TEST_F(Recovery, forgets_what_waits_for_a_caller_that_left) {
  FakePeer& caller = client();
  caller.request("hr/a");
  lose(caller);
  EXPECT_EQ(number("parley_broker_inflight"), 0U);
}

}  // namespace
}  // namespace parley::broker
