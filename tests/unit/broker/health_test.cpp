#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class HealthOnTheBus : public Bus {
 public:
  static wire::WorkerVitals vitals_of(std::string type) {
    wire::WorkerVitals vitals;
    vitals.pid = 42;
    vitals.types = {{.name = std::move(type)}};
    return vitals;
  }
  static void beat(FakePeer& peer, const wire::WorkerVitals& vitals) {
    const ByteBuffer body = wire::encode_body(vitals);
    peer.tell({.kind = Kind::heartbeat, .message_id = 1, .payload = body.bytes()});
  }
  /// The row of the peer in `ps`.
  [[nodiscard]] wire::PsPeer row(std::size_t peer) const { return core->ps(now).peers.at(peer); }
  [[nodiscard]] std::vector<std::string> changes() {
    std::vector<std::string> texts;
    for (const CoreEvent& event : core->take_events()) {
      if (event.type == CoreEvent::Type::health_changed) texts.push_back(event.reason);
    }
    return texts;
  }
};

TEST_F(HealthOnTheBus, of_a_peer_that_tells_nothing_is_what_its_heartbeats_say) {
  FakePeer& old_peer = worker({"hr"});
  EXPECT_EQ(row(0).health, "healthy");
  pass(1s, {&old_peer});
  EXPECT_EQ(row(0).health, "healthy");
  EXPECT_FALSE(row(0).has_vitals);
  pass(2250ms);
  EXPECT_EQ(row(0).health, "degraded");
  EXPECT_EQ(row(0).health_cause, "silence");
  old_peer.heartbeat();
  pass(250ms);
  EXPECT_EQ(row(0).health, "healthy");
}

// [P-VIT-1]
TEST_F(HealthOnTheBus, comes_from_the_vitals_of_the_newest_heartbeat) {
  FakePeer& host = worker({"hr"});
  wire::WorkerVitals vitals = vitals_of("hr");
  vitals.types[0].consecutive_failures = 5;
  vitals.executing = {"hr/a"};
  beat(host, vitals);
  EXPECT_EQ(row(0).health, "unhealthy");
  EXPECT_EQ(row(0).health_cause, "failures");
  EXPECT_EQ(row(0).health_reason, "hr: 5 failures in a row");
  EXPECT_TRUE(row(0).should_restart);
  EXPECT_EQ(row(0).vitals.pid, 42U);
  EXPECT_EQ(row(0).vitals.executing, std::vector<std::string>{"hr/a"});
  beat(host, vitals_of("hr"));
  EXPECT_EQ(row(0).health, "healthy");
}

TEST_F(HealthOnTheBus, of_a_worker_whose_model_fails_is_degraded_and_no_reason_to_restart) {
  FakePeer& host = worker({"hr"});
  wire::WorkerVitals vitals = vitals_of("hr");
  vitals.types[0].consecutive_model_failures = 100;
  beat(host, vitals);
  EXPECT_EQ(row(0).health, "degraded");
  EXPECT_FALSE(row(0).should_restart);
}

// [P-VIT-2]
TEST_F(HealthOnTheBus, malformed_vitals_are_counted_and_the_heartbeat_counts_all_the_same) {
  FakePeer& host = worker({"hr"});
  pass(2s);
  host.tell({.kind = Kind::heartbeat, .message_id = 1, .payload = as_bytes("no map")});
  EXPECT_EQ(number("parley_broker_invalid_frames_total"), 1U);
  EXPECT_EQ(number("parley_broker_heartbeats_total"), 1U);
  pass(1500ms);
  EXPECT_EQ(row(0).health, "healthy");
}

// [P-VIT-3]
TEST_F(HealthOnTheBus, vitals_beyond_their_bounds_are_cut) {
  FakePeer& host = worker({"hr"});
  wire::WorkerVitals vitals = vitals_of("hr");
  vitals.executing.assign(1000, "hr/a");
  vitals.types.resize(1000);
  vitals.activations.resize(1000);
  beat(host, vitals);
  EXPECT_EQ(row(0).vitals.executing.size(), wire::kMaxVitalsExecuting);
  EXPECT_EQ(row(0).vitals.types.size(), wire::kMaxVitalsTypes);
  EXPECT_EQ(row(0).vitals.activations.size(), wire::kMaxVitalsActivations);
}

TEST_F(HealthOnTheBus, changes_are_told_once_each) {
  FakePeer& host = worker({"hr"});
  wire::WorkerVitals sick = vitals_of("hr");
  sick.loop_lag_ms = 2000;
  for (int i = 0; i < 3; ++i) {
    beat(host, sick);
    pass(1s, {&host});
  }
  beat(host, vitals_of("hr"));
  pass(1s, {&host});
  EXPECT_EQ(changes(), (std::vector<std::string>{"healthy to degraded: a handler has kept the loop busy for 2s",
                                                 "degraded to healthy"}));
}

TEST_F(HealthOnTheBus, sends_new_agents_to_the_fittest_worker) {
  FakePeer& unhealthy = worker({"hr"});
  FakePeer& degraded = worker({"hr"});
  FakePeer& healthy = worker({"hr"});
  wire::WorkerVitals vitals = vitals_of("hr");
  vitals.types[0].consecutive_model_failures = 3;
  beat(degraded, vitals);
  vitals.types[0].consecutive_failures = 5;
  beat(unhealthy, vitals);
  FakePeer& caller = client();
  for (const char* id : {"hr/a", "hr/b", "hr/c"}) caller.request(id);
  EXPECT_EQ(healthy.count(Kind::request), 3U);
  lose(healthy);
  caller.request("hr/d");
  EXPECT_EQ(degraded.count(Kind::request), 1U);
  lose(degraded);
  caller.request("hr/e");
  EXPECT_EQ(unhealthy.count(Kind::request), 1U) << "better than nobody";
}

TEST_F(HealthOnTheBus, of_one_type_does_not_keep_new_agents_of_another_away) {
  FakePeer& host = worker({"hr", "it"});
  worker({"hr"});
  wire::WorkerVitals vitals = vitals_of("hr");
  vitals.types[0].consecutive_failures = 5;
  beat(host, vitals);
  FakePeer& caller = client();
  caller.request("it/a");
  caller.request("hr/a");
  EXPECT_EQ(host.take(Kind::request).target, "it/a");
  EXPECT_EQ(host.count(Kind::request), 0U);
}

TEST_F(HealthOnTheBus, of_a_worker_that_was_lost_names_the_agents_that_it_was_at_work_for) {
  FakePeer& host = worker({"hr"});
  beat(host, vitals_of("hr"));
  FakePeer& caller = client();
  for (const char* id : {"hr/done", "hr/poison", "hr/poison"}) caller.request(id);
  host.reply(host.take(Kind::request));
  FakePeer& polite = worker({"it"});
  polite.goodbye();
  lose(host);
  const auto losses = core->ps(now).losses;
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_TRUE(losses[0].worker.starts_with("worker-"));
  EXPECT_EQ(losses[0].pid, 42U);
  EXPECT_EQ(losses[0].executing, std::vector<std::string>{"hr/poison"});
}

TEST_F(HealthOnTheBus, what_never_reached_a_lost_worker_is_not_held_against_anybody) {
  FakePeer& host = worker({"hr"}, 1);
  FakePeer& caller = client();
  caller.request("hr/sent");
  caller.request("hr/unsent");
  lose(host);
  const auto losses = core->ps(now).losses;
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].executing, std::vector<std::string>{"hr/sent"});
}

TEST_F(HealthOnTheBus, of_a_type_is_that_of_its_worst_worker) {
  FakePeer& first = worker({"hr"});
  FakePeer& second = worker({"hr"});
  wire::WorkerVitals vitals = vitals_of("hr");
  vitals.types[0].latency_p95_us = 5000;
  vitals.types[0].input_tokens = 10;
  vitals.types[0].waiting = 3;
  beat(first, vitals);
  vitals.types[0].latency_p95_us = 70;
  vitals.types[0].consecutive_model_failures = 3;
  beat(second, vitals);
  const wire::PsType type = core->ps(now).types.at(0);
  EXPECT_EQ(type.health, "degraded");
  EXPECT_EQ(type.latency_p95_us, 5000U);
  EXPECT_EQ(type.input_tokens, 20U);
  EXPECT_EQ(type.mailbox_depth, 6U);
  lose(first);
  lose(second);
  EXPECT_EQ(core->ps(now).types.at(0).health, "stopped");
}

}  // namespace
}  // namespace parley::broker
