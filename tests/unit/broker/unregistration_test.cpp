#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

/// A worker with an agent `hr/a` that has one request in hand.
class Unregistration : public Bus {
 protected:
  void SetUp() override {
    Bus::SetUp();
    host_ = &worker({"hr"});
    caller_ = &client();
    caller_->request("hr/a", "0");
    epoch_ = host_->take(Kind::activate).delivery_id;
  }
  void unregister() { host_->ask(Kind::unregister_type, wire::TypeName{"hr"}); }
  void put_away() { host_->about(Kind::deactivated, "hr/a", epoch_); }

  FakePeer* host_ = nullptr;
  FakePeer* caller_ = nullptr;
  std::uint64_t epoch_ = 0;
};

// [P-ACT-9]
TEST_F(Unregistration, puts_activations_away_behind_what_they_were_sent_and_before_the_answer) {
  unregister();
  ASSERT_EQ(host_->inbox.size(), 3U);
  EXPECT_EQ(host_->inbox[0].kind, Kind::request);
  EXPECT_EQ(host_->inbox[1].kind, Kind::passivate);
  EXPECT_EQ(host_->inbox[1].delivery_id, epoch_);
  EXPECT_EQ(host_->inbox[2].kind, Kind::reply);
}

// [P-ACT-2]
TEST_F(Unregistration, gives_an_id_to_another_worker_only_after_it_was_put_away) {
  FakePeer& other = worker({"hr"});
  unregister();
  caller_->request("hr/a", "1");
  caller_->request("hr/b", "new");
  EXPECT_EQ(other.take(Kind::request).payload, "new");
  EXPECT_EQ(other.count(Kind::request), 0U);
  put_away();
  EXPECT_EQ(other.take(Kind::request).payload, "1");
  EXPECT_TRUE(is_sound());
}

TEST_F(Unregistration, leaves_running_requests_to_their_worker) {
  unregister();
  host_->tell({.kind = Kind::reply, .delivery_id = host_->take(Kind::request).delivery_id, .source = "hr/a"});
  caller_->take(Kind::reply);
  put_away();
  EXPECT_EQ(number("parley_broker_activations"), 0U);
  EXPECT_TRUE(is_clean());
}

TEST_F(Unregistration, by_the_last_worker_makes_the_type_unknown_at_once) {
  unregister();
  caller_->request("hr/a", "1");
  EXPECT_EQ(caller_->take(Kind::error).code, ErrorCode::unknown_agent_type);
  caller_->request("hr/b", "1");
  EXPECT_EQ(caller_->take(Kind::error).code, ErrorCode::unknown_agent_type);
}

// [P-SRC-1]
TEST_F(Unregistration, lets_an_agent_speak_for_itself_until_it_is_put_away) {
  worker({"tool"});
  unregister();
  host_->inbox.clear();
  host_->message({.source = "hr/a", .target = "tool/x"});
  EXPECT_EQ(host_->count(Kind::error), 0U);
  host_->message({.source = "hr/b", .target = "tool/x"});
  EXPECT_EQ(host_->take(Kind::error).code, ErrorCode::unauthorized);
  put_away();
  host_->message({.source = "hr/a", .target = "tool/x"});
  EXPECT_EQ(host_->take(Kind::error).code, ErrorCode::unauthorized);
}

TEST_F(Unregistration, followed_by_a_registration_starts_the_agents_anew_under_its_index) {
  unregister();
  wire::TypeRegistration again;
  again.name = "hr";
  again.index = 7;
  host_->ask(Kind::register_type, again);
  caller_->request("hr/a", "1");
  host_->inbox.clear();
  EXPECT_TRUE(is_sound());
  put_away();
  const Received placed = host_->take(Kind::activate);
  EXPECT_GT(placed.delivery_id, epoch_);
  EXPECT_EQ(placed.recipient, 7U);
  EXPECT_EQ(host_->take(Kind::request).recipient, 7U);
  EXPECT_TRUE(is_sound());
}

TEST_F(Unregistration, of_a_worker_that_is_lost_then_moves_held_messages_on) {
  FakePeer& other = worker({"hr"});
  unregister();
  caller_->request("hr/a", "1");
  lose(*host_);
  EXPECT_EQ(other.take(Kind::request).payload, "1");
  EXPECT_EQ(caller_->take(Kind::error).code, ErrorCode::worker_lost);
  EXPECT_TRUE(is_sound());
}

TEST_F(Unregistration, shows_the_activations_that_are_left) {
  unregister();
  EXPECT_EQ(core->ps(now).types.at(0).activations, 1U);
  EXPECT_EQ(core->ps(now).types.at(0).workers, 0U);
}

// [P-OPR-1]
TEST_F(Unregistration, does_not_hide_held_messages_from_a_quarantine) {
  worker({"hr"});
  unregister();
  caller_->request("hr/a", "1");
  client().ask(Kind::operate, wire::Operate{.what = "quarantine", .key = "hr/a", .reason = "test"});
  EXPECT_EQ(caller_->take(Kind::error).code, ErrorCode::quarantined);
}

}  // namespace
}  // namespace parley::broker
