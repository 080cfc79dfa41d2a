#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class Operate : public Bus {
 public:
  /// What the operation answered; the test fails when it was refused.
  wire::OperateReport order(std::string what, std::string key, std::string reason = "because") {
    FakePeer& operators = client();
    operators.ask(Kind::operate, wire::Operate{std::move(what), std::move(key), std::move(reason)});
    const Received answer = operators.take(Kind::reply);
    EXPECT_EQ(answer.payload_type, "parley.OperateReport");
    operators.goodbye();
    return wire::decode_body<wire::OperateReport>(as_bytes(answer.payload)).value_or(wire::OperateReport{});
  }
  ErrorCode refused(std::string what, std::string key) {
    FakePeer& operators = client();
    operators.ask(Kind::operate, wire::Operate{std::move(what), std::move(key), {}});
    const ErrorCode code = operators.take(Kind::error).code;
    operators.goodbye();
    return code;
  }
};

// [P-OPR-1]
TEST_F(Operate, quarantine_of_an_agent_answers_its_messages_at_once_and_no_others) {
  FakePeer& host = worker({"hr"});
  order("quarantine", "hr/a", "two crashes");
  FakePeer& caller = client();
  caller.request("hr/a");
  const Received error = caller.take(Kind::error);
  EXPECT_EQ(error.code, ErrorCode::quarantined);
  EXPECT_EQ(error.payload, "'hr/a' is quarantined: two crashes");
  caller.send("hr/a");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::quarantined);
  caller.request("hr/b");
  EXPECT_EQ(host.take(Kind::request).target, "hr/b");
}

// [P-OPR-1]
TEST_F(Operate, quarantine_of_a_type_holds_for_all_its_agents_and_for_events) {
  FakePeer& host = worker({"hr"});
  host.ask(Kind::subscribe, wire::SubscriptionBody{1, "news", false, "hr"});
  order("quarantine", "hr");
  FakePeer& caller = client();
  caller.request("hr/any");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::quarantined);
  caller.publish("news/a");
  ASSERT_EQ(dead_letters().size(), 1U);
  EXPECT_EQ(dead_letters()[0].code, "quarantined");
  EXPECT_EQ(host.count(Kind::event), 0U);
  EXPECT_EQ(core->ps(now).types.at(0).health, "quarantined");
}

TEST_F(Operate, quarantine_of_a_type_is_shown_with_the_reason_that_its_operator_gave) {
  worker({"hr"});
  order("quarantine", "hr", "answers nonsense");
  EXPECT_EQ(core->ps(now).types.at(0).health_reason, "answers nonsense");
}

// [P-OPR-1]
TEST_F(Operate, quarantine_answers_what_waits_for_the_lease_of_a_lost_worker) {
  start({.is_gone_proof = false});
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  lose(host);
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::worker_lost);
  caller.request("hr/a");
  order("quarantine", "hr/a");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::quarantined);
}

TEST_F(Operate, quarantine_is_listed_with_what_it_refused_until_its_release) {
  worker({"hr"});
  order("quarantine", "hr/a", "two crashes");
  client().request("hr/a");
  const auto listed = core->ps(now).quarantines;
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].key, "hr/a");
  EXPECT_EQ(listed[0].reason, "two crashes");
  EXPECT_TRUE(listed[0].by.starts_with("client-")) << listed[0].by;
  EXPECT_EQ(listed[0].refused, 1U);
  EXPECT_EQ(order("release", "hr/a").affected, 1U);
  EXPECT_TRUE(core->ps(now).quarantines.empty());
  FakePeer& caller = client();
  caller.request("hr/a");
  EXPECT_EQ(caller.count(Kind::error), 0U);
}

// [P-OPR-1]
TEST_F(Operate, quarantine_ends_what_waits_for_a_worker) {
  FakePeer& host = worker({"hr"});
  lose(host);
  FakePeer& caller = client();
  caller.request("hr/a");
  caller.request("hr/b");
  order("quarantine", "hr/a");
  EXPECT_EQ(caller.take(Kind::error).message_id, 1U);
  EXPECT_EQ(caller.count(Kind::error), 0U) << "hr/b waits on";
}

// [P-OPR-2]
TEST_F(Operate, quarantine_outlives_the_broker) {
  order("quarantine", "hr/a", "two crashes");
  CoreConfig config;
  config.quarantines = core->quarantines();
  SetUp();
  start(std::move(config));
  worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::quarantined);
}

TEST_F(Operate, capability_avoids_a_quarantined_type) {
  for (const char* name : {"poor", "good"}) {
    wire::Hello hello = hello_of({name});
    hello.types[0].capabilities = {"review"};
    connect().join(hello);
  }
  order("quarantine", "poor");
  FakePeer& caller = client();
  for (int i = 0; i < 3; ++i) caller.request("@review");
  EXPECT_EQ(caller.count(Kind::error), 0U);
  order("quarantine", "good");
  caller.request("@review");
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::quarantined);
}

// [P-OPR-3]
TEST_F(Operate, evict_moves_an_agent_when_its_worker_has_dropped_it) {
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  host.reply(host.take(Kind::request));
  const Received placed = host.take(Kind::activate);
  const wire::OperateReport report = order("evict", "hr/a");
  EXPECT_TRUE(report.worker.starts_with("worker-"));
  const Received evicted = host.take(Kind::evict);
  EXPECT_EQ(evicted.delivery_id, placed.delivery_id);
  caller.request("hr/a");
  EXPECT_EQ(host.count(Kind::request), 0U) << "held until the worker has answered";
  host.about(Kind::deactivated, "hr/a", evicted.delivery_id);
  EXPECT_GT(host.take(Kind::activate).delivery_id, placed.delivery_id);
  host.reply(host.take(Kind::request));
}

// [P-OPR-4]
TEST_F(Operate, drain_empties_a_worker_and_gives_it_nothing_new) {
  FakePeer& full = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  full.reply(full.take(Kind::request));
  FakePeer& other = worker({"hr"});
  const wire::OperateReport report = order("drain", core->ps(now).peers.at(0).name);
  EXPECT_EQ(report.affected, 1U);
  const Received asked = full.take(Kind::passivate);
  EXPECT_EQ(asked.target, "hr/a");
  full.about(Kind::deactivated, "hr/a", asked.delivery_id);
  caller.request("hr/a");
  EXPECT_EQ(full.count(Kind::request), 0U);
  other.reply(other.take(Kind::request));
  EXPECT_TRUE(core->ps(now).peers.at(0).is_draining);
}

/// A worker with the agent `hr/a`, told to drain.
class Drain : public Operate {
 protected:
  void SetUp() override {
    Operate::SetUp();
    hello_ = hello_of({"hr"});
    host_ = &connect();
    host_->join(hello_);
    client().request("hr/a");
    hello_.activations = {{"hr/a", host_->take(Kind::activate).delivery_id}};
    order("drain", hello_.name);
  }
  /// The same process says HELLO again; it is asked to put its agent away, and gets nothing new.
  void expect_still_draining() {
    FakePeer& back = connect();
    back.join(hello_);
    EXPECT_EQ(back.take(Kind::passivate).target, "hr/a");
    client().request("hr/new");
    EXPECT_EQ(back.count(Kind::request), 0U);
  }
  FakePeer* host_ = nullptr;
  wire::Hello hello_;
};

// [P-OPR-4]
TEST_F(Drain, goes_on_when_the_worker_has_lost_its_session) {
  lose(*host_);
  expect_still_draining();
}

// [P-OPR-4]
TEST_F(Drain, goes_on_over_a_restart_of_the_broker) {
  const std::vector<std::uint64_t> kept = core->drains();
  ASSERT_EQ(kept, std::vector<std::uint64_t>{hello_.incarnation});
  start({.shard_epoch = 2, .is_restart = true, .expected_workers = {hello_.incarnation}, .drains = kept});
  expect_still_draining();
}

TEST_F(Drain, ends_with_the_process) {
  host_->goodbye();
  EXPECT_TRUE(core->drains().empty());
  hello_.activations.clear();
  FakePeer& again = connect();
  again.join(hello_);
  client().request("hr/new");
  EXPECT_EQ(again.count(Kind::request), 1U);
}

TEST_F(Drain, is_forgotten_with_a_process_that_does_not_come_back) {
  start({.type_memory = 5s, .drains = core->drains()});
  pass(4s);
  EXPECT_EQ(core->drains().size(), 1U);
  pass(2s);
  EXPECT_TRUE(core->drains().empty());
}

TEST_F(Operate, with_nothing_to_act_on_is_invalid) {
  worker({"hr"});
  EXPECT_EQ(refused("release", "hr"), ErrorCode::invalid);
  EXPECT_EQ(refused("evict", "hr/a"), ErrorCode::invalid);
  EXPECT_EQ(refused("drain", "nobody"), ErrorCode::invalid);
  EXPECT_EQ(refused("quarantine", "no such/\n"), ErrorCode::invalid);
  EXPECT_EQ(refused("explode", "hr"), ErrorCode::invalid);
}

}  // namespace
}  // namespace parley::broker
