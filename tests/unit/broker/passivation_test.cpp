#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class Passivation : public Bus {
 protected:
  void SetUp() override {
    Bus::SetUp();
    host_ = &worker({"hr"});
    caller_ = &client();
    caller_->request("hr/a", "0");
    epoch_ = host_->take(Kind::activate).delivery_id;
  }
  FakePeer* host_ = nullptr;
  FakePeer* caller_ = nullptr;
  std::uint64_t epoch_ = 0;
};

TEST_F(Passivation, is_granted_behind_everything_that_was_delivered) {
  host_->about(Kind::passivate, "hr/a", epoch_);
  ASSERT_EQ(host_->inbox.size(), 2U);
  EXPECT_EQ(host_->inbox[0].kind, Kind::request);
  EXPECT_EQ(host_->inbox[1].kind, Kind::passivate);
  EXPECT_EQ(host_->inbox[1].delivery_id, epoch_);
}

TEST_F(Passivation, holds_later_messages_and_places_them_anew_in_order) {
  host_->about(Kind::passivate, "hr/a", epoch_);
  caller_->request("hr/a", "1");
  caller_->request("hr/a", "2");
  EXPECT_EQ(host_->count(Kind::request), 1U);
  host_->inbox.clear();
  host_->about(Kind::deactivated, "hr/a", epoch_);
  ASSERT_EQ(host_->inbox.size(), 3U);
  EXPECT_EQ(host_->inbox[0].kind, Kind::activate);
  EXPECT_GT(host_->inbox[0].delivery_id, epoch_);
  EXPECT_EQ(host_->inbox[1].payload, "1");
  EXPECT_EQ(host_->inbox[2].payload, "2");
}

TEST_F(Passivation, without_waiting_messages_forgets_the_id) {
  host_->about(Kind::passivate, "hr/a", epoch_);
  host_->about(Kind::deactivated, "hr/a", epoch_);
  EXPECT_EQ(number("parley_broker_activations"), 0U);
}

TEST_F(Passivation, with_a_stale_epoch_is_ignored) {
  host_->inbox.clear();
  host_->about(Kind::passivate, "hr/a", epoch_ + 1);
  host_->about(Kind::deactivated, "hr/a", epoch_ + 1);
  EXPECT_TRUE(host_->got_nothing());
  EXPECT_EQ(number("parley_broker_activations"), 1U);
}

TEST_F(Passivation, of_an_activation_of_somebody_else_is_ignored) {
  FakePeer& other = worker({"hr"});
  other.about(Kind::passivate, "hr/a", epoch_);
  other.about(Kind::deactivated, "hr/a", epoch_);
  EXPECT_TRUE(other.got_nothing());
  EXPECT_EQ(number("parley_broker_activations"), 1U);
}

TEST_F(Passivation, held_messages_keep_their_deadline) {
  host_->about(Kind::passivate, "hr/a", epoch_);
  const auto id = caller_->request("hr/a", "1", 100);
  pass(101ms);
  const Received error = caller_->take(Kind::error);
  EXPECT_EQ(error.message_id, id);
  EXPECT_EQ(error.code, ErrorCode::timeout);
}

TEST_F(Passivation, held_messages_move_on_when_the_worker_is_lost) {
  host_->about(Kind::passivate, "hr/a", epoch_);
  caller_->request("hr/a", "1");
  FakePeer& other = worker({"hr"});
  lose(*host_);
  EXPECT_EQ(other.take(Kind::request).payload, "1");
  EXPECT_EQ(caller_->take(Kind::error).code, ErrorCode::worker_lost);
}

}  // namespace
}  // namespace parley::broker
