#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class Cancel : public Bus {};

TEST_F(Cancel, ends_the_request_at_once_and_tells_the_worker) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  const auto id = caller.request("hr/a");
  const Received delivery = hr.take(Kind::request);
  caller.cancel(id);
  const Received error = caller.take(Kind::error);
  EXPECT_EQ(error.message_id, id);
  EXPECT_EQ(error.code, ErrorCode::cancelled);
  EXPECT_EQ(hr.take(Kind::cancel).delivery_id, delivery.delivery_id);
  EXPECT_TRUE(is_clean());
}

TEST_F(Cancel, is_answered_once_even_when_the_worker_replies_later) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.cancel(caller.request("hr/a"));
  hr.reply(hr.take(Kind::request));
  EXPECT_EQ(caller.inbox.size(), 1U);
}

TEST_F(Cancel, of_something_that_has_ended_does_nothing) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  const auto id = caller.request("hr/a");
  hr.reply(hr.take(Kind::request));
  caller.cancel(id);
  EXPECT_EQ(caller.inbox.size(), 1U);
  EXPECT_EQ(hr.count(Kind::cancel), 0U);
}

TEST_F(Cancel, of_a_request_of_another_session_does_nothing) {
  worker({"hr"});
  FakePeer& caller = client();
  FakePeer& other = client();
  other.cancel(caller.request("hr/a"));
  EXPECT_TRUE(caller.got_nothing());
  EXPECT_TRUE(other.got_nothing());
}

TEST_F(Cancel, takes_back_what_has_not_been_sent) {
  FakePeer& hr = worker({"hr"}, 1);
  FakePeer& caller = client();
  caller.request("hr/a");  // takes all the credit there is
  const auto id = caller.request("hr/a", "never seen");
  caller.cancel(id);
  hr.inbox.clear();
  hr.credit(hr.data_frames.at(0));
  EXPECT_EQ(hr.count(Kind::request), 0U);
  EXPECT_EQ(hr.count(Kind::cancel), 0U);
}

TEST_F(Cancel, ends_a_parked_request) {
  FakePeer& hr = worker({"hr"});
  lose(hr);
  FakePeer& caller = client();
  caller.cancel(caller.request("hr/a"));
  EXPECT_EQ(caller.take(Kind::error).code, ErrorCode::cancelled);
  EXPECT_TRUE(is_clean());
}

TEST_F(Cancel, follows_from_the_end_of_the_caller) {
  FakePeer& hr = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  const Received delivery = hr.take(Kind::request);
  lose(caller);
  EXPECT_EQ(hr.take(Kind::cancel).delivery_id, delivery.delivery_id);
  EXPECT_TRUE(is_clean());
}

}  // namespace
}  // namespace parley::broker
