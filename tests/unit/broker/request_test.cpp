#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class Requests : public Bus {};

TEST_F(Requests, reach_the_worker_and_the_reply_reaches_the_caller) {
  FakePeer& hr = worker({"finance", "hr"});
  FakePeer& caller = client();
  const auto id = caller.request("hr/alice", "hello");
  EXPECT_EQ(hr.take(Kind::activate).target, "hr/alice");
  const Received delivery = hr.take(Kind::request);
  EXPECT_EQ(delivery.payload, "hello");
  EXPECT_EQ(delivery.recipient, 1);
  hr.reply(delivery, "hi");
  const Received reply = caller.take(Kind::reply);
  EXPECT_EQ(reply.message_id, id);
  EXPECT_EQ(reply.payload, "hi");
  EXPECT_TRUE(is_clean());
}

TEST_F(Requests, of_two_clients_with_equal_numbers_get_their_own_replies) {
  FakePeer& hr = worker({"hr"});
  FakePeer& first = client();
  FakePeer& second = client();
  const auto first_id = first.request("hr/a", "1");
  const auto second_id = second.request("hr/a", "2");
  EXPECT_EQ(first_id, second_id);
  const Received one = hr.take(Kind::request);
  const Received two = hr.take(Kind::request);
  hr.reply(two, "for second");
  hr.reply(one, "for first");
  EXPECT_EQ(first.take(Kind::reply).payload, "for first");
  EXPECT_EQ(second.take(Kind::reply).payload, "for second");
}

TEST_F(Requests, activate_an_id_once_and_stay_with_its_worker) {
  FakePeer& first = worker({"hr"});
  FakePeer& second = worker({"hr"});
  FakePeer& caller = client();
  for (int i = 0; i < 3; i++) caller.request("hr/alice");
  EXPECT_EQ(first.count(Kind::activate) + second.count(Kind::activate), 1U);
  EXPECT_EQ(std::max(first.count(Kind::request), second.count(Kind::request)), 3U);
}

TEST_F(Requests, without_a_key_go_to_the_default_one) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr");
  caller.request("hr/default");
  EXPECT_EQ(hr.take(Kind::activate).target, "hr/default");
  EXPECT_EQ(hr.count(Kind::activate), 0U);
  EXPECT_EQ(hr.count(Kind::request), 2U);
}

TEST_F(Requests, to_a_type_never_seen_fail_at_once_with_the_nearest_names) {
  worker({"finance", "hr"});
  FakePeer& caller = client();
  const auto id = caller.request("fiance/x");
  const Received error = caller.take(Kind::error);
  EXPECT_EQ(error.message_id, id);
  EXPECT_EQ(error.code, ErrorCode::unknown_agent_type);
  EXPECT_EQ(error.payload_type, "parley.Error");
  EXPECT_EQ(error.payload, "no agent type 'fiance' (did you mean 'finance'?)");
  EXPECT_TRUE(is_clean());
}

TEST_F(Requests, to_a_malformed_target_are_invalid) {
  FakePeer& caller = client();
  for (const std::string_view target : {"", "no spaces/x", "hr/", "@", "@bad cap"}) {
    caller.request(target);
    EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::invalid) << target;
  }
}

TEST_F(Requests, carry_the_time_that_is_left) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a", "x", 1500);
  EXPECT_EQ(hr.take(Kind::request).remaining_ms, 1500U);
  caller.request("hr/a");
  EXPECT_EQ(hr.take(Kind::request).remaining_ms, CoreConfig{}.max_deadline.count());
}

TEST_F(Requests, end_in_timeout_when_the_worker_is_late_and_the_worker_is_told) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  const auto id = caller.request("hr/a", "x", 200);
  const Received delivery = hr.take(Kind::request);
  pass(201ms);
  const Received error = caller.take(Kind::error);
  EXPECT_EQ(error.message_id, id);
  EXPECT_EQ(error.code, ErrorCode::timeout);
  EXPECT_EQ(hr.take(Kind::cancel).delivery_id, delivery.delivery_id);
  hr.reply(delivery);
  EXPECT_TRUE(caller.got_nothing());
  EXPECT_EQ(number("parley_broker_stale_replies_total"), 1U);
  EXPECT_TRUE(is_clean());
}

TEST_F(Requests, do_not_time_out_before_their_deadline) {
  worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a", "x", 200);
  pass(199ms);
  EXPECT_TRUE(caller.got_nothing());
}

TEST_F(Requests, keep_deadlines_beyond_one_turn_of_the_timer_wheel) {
  worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a", "x", 20'000);
  pass_with_all(19'900ms);
  EXPECT_TRUE(caller.got_nothing());
  pass_with_all(101ms);
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::timeout);
}

TEST_F(Requests, that_fail_in_the_handler_end_in_its_error) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  const auto id = caller.request("hr/a");
  hr.fail(hr.take(Kind::request), ErrorCode::handler_failed, "boom");
  const Received error = caller.take(Kind::error);
  EXPECT_EQ(error.message_id, id);
  EXPECT_EQ(error.code, ErrorCode::handler_failed);
  EXPECT_EQ(error.payload, "boom");
  EXPECT_TRUE(is_clean());
}

TEST_F(Requests, may_be_answered_by_parts_and_then_a_reply_in_order) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  const auto id = caller.request("hr/a");
  const Received delivery = hr.take(Kind::request);
  hr.part(delivery, "a");
  hr.part(delivery, "b");
  hr.reply(delivery, "end");
  ASSERT_EQ(caller.inbox.size(), 3U);
  EXPECT_EQ(caller.inbox[0].payload, "a");
  EXPECT_EQ(caller.inbox[1].payload, "b");
  EXPECT_EQ(caller.inbox[2].payload, "end");
  for (const Received& got : caller.inbox) EXPECT_EQ(got.message_id, id);
}

TEST_F(Requests, get_exactly_one_outcome_when_the_worker_answers_twice) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  const Received delivery = hr.take(Kind::request);
  hr.reply(delivery);
  hr.reply(delivery);
  hr.part(delivery, "late");
  EXPECT_EQ(caller.inbox.size(), 1U);
  EXPECT_EQ(number("parley_broker_stale_replies_total"), 2U);
}

TEST_F(Requests, cannot_be_answered_by_another_worker) {
  FakePeer& hr = worker({"hr"});
  FakePeer& other = worker({"other"});
  FakePeer& caller = client();
  caller.request("hr/a");
  const Received delivery = hr.take(Kind::request);
  other.reply(delivery, "forged");
  EXPECT_TRUE(caller.got_nothing());
  hr.reply(delivery, "true");
  EXPECT_EQ(caller.take(Kind::reply).payload, "true");
}

TEST_F(Requests, with_a_repeated_message_id_are_invalid) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  caller.request("hr/a");
  caller.tell({.message_id = 1, .target = "hr/a"});
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::invalid);
  EXPECT_EQ(hr.count(Kind::request), 2U);
}

TEST_F(Requests, with_message_id_zero_are_invalid) {
  worker({"hr"});
  FakePeer& caller = client();
  caller.tell({.message_id = 0, .target = "hr/a"});
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::invalid);
}

TEST_F(Requests, beyond_the_announced_number_are_overloaded_with_a_hint) {
  start({.max_inflight_per_session = 2});
  worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  caller.request("hr/b");
  const auto id = caller.request("hr/c");
  const Received error = caller.take(Kind::error);
  EXPECT_EQ(error.message_id, id);
  EXPECT_EQ(error.code, ErrorCode::overloaded);
  EXPECT_EQ(error.retry_after, "100");
}

TEST_F(Requests, in_the_name_of_a_type_of_somebody_else_are_unauthorized) {
  worker({"hr"});
  FakePeer& finance = worker({"finance"});
  finance.message({.source = "hr/boss", .target = "hr/a"});
  EXPECT_EQ(finance.take(Kind::error).code, ErrorCode::unauthorized);
  finance.message({.source = "finance/x", .target = "hr/a"});
  EXPECT_EQ(finance.count(Kind::error), 0U);
}

TEST_F(Requests, answered_in_the_name_of_another_type_end_in_unauthorized) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  const Received delivery = hr.take(Kind::request);
  hr.tell({.kind = Kind::reply, .delivery_id = delivery.delivery_id, .source = "finance/a"});
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::unauthorized);
}

// [P-LIM-17]
TEST_F(Requests, to_one_agent_more_than_may_live_are_overloaded_and_those_that_live_are_served) {
  start({.max_activations = 2});
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  for (const std::string_view id : {"hr/a", "hr/b", "hr/c", "hr/a"}) caller.request(id);
  const Received error = caller.take(Kind::error);
  EXPECT_EQ(error.code, ErrorCode::overloaded);
  EXPECT_EQ(error.retry_after, "100");
  EXPECT_EQ(hr.count(Kind::request), 3U);
  EXPECT_EQ(number("parley_broker_activations"), 2U);
}

// [P-LIM-17]
TEST_F(Requests, find_no_more_agents_than_may_live_after_a_hello_that_announces_more) {
  start({.max_activations = 2});
  wire::Hello hello = hello_of({"hr"});
  hello.activations = {{"hr/a", 1}, {"hr/b", 2}, {"hr/c", 3}};
  FakePeer& hr = connect();
  hr.join(hello);
  EXPECT_EQ(hr.count(Kind::evict), 1U);
  EXPECT_EQ(number("parley_broker_activations"), 2U);
}

}  // namespace
}  // namespace parley::broker
