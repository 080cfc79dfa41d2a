#include "broker/core/inquiries.hpp"
#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

/// A worker that has hr/a, and somebody who asks how it is.
class Inspection : public Bus {
 protected:
  void SetUp() override {
    Bus::SetUp();
    host_ = &worker({"hr"});
    asker_ = &client();
    asker_->request("hr/a");
    host_->inbox.clear();
  }
  std::uint64_t ask(std::string agent) {
    return asker_->ask(Kind::query, wire::Query{.what = "activation", .key = std::move(agent)});
  }
  static void tell(FakePeer& worker, const Received& question, Bytes body) {
    worker.tell({.kind = Kind::inspect, .message_id = question.message_id, .target = question.target, .payload = body});
  }
  static ByteBuffer some_vitals() {
    wire::ActivationVitals vitals;
    vitals.id = "hr/a";
    vitals.successes = 7;
    return wire::encode_body(vitals);
  }
  FakePeer* host_ = nullptr;
  FakePeer* asker_ = nullptr;
};

// [P-INS-1]
TEST_F(Inspection, asks_the_worker_that_has_the_agent_and_passes_on_what_it_tells) {
  const std::uint64_t id = ask("hr/a");
  const Received question = host_->take(Kind::inspect);
  EXPECT_EQ(question.target, "hr/a");
  EXPECT_TRUE(asker_->got_nothing());
  tell(*host_, question, some_vitals().bytes());
  const Received answer = asker_->take(Kind::reply);
  EXPECT_EQ(answer.message_id, id);
  EXPECT_EQ(answer.payload_type, "parley.ActivationReport");
  const auto report = wire::decode_body<wire::ActivationReport>(as_bytes(answer.payload)).value();
  EXPECT_TRUE(report.worker.starts_with("worker-"));
  EXPECT_EQ(report.vitals.successes, 7U);
}

// [P-INS-1]
TEST_F(Inspection, of_an_agent_that_lives_nowhere_is_invalid) {
  ask("hr/nobody");
  EXPECT_EQ(asker_->take(Kind::error).code, ErrorCode::invalid);
  ask("hr");
  EXPECT_EQ(asker_->take(Kind::error).payload, "'hr/default' lives nowhere now");
}

// [P-INS-1]
TEST_F(Inspection, that_a_worker_does_not_answer_is_a_timeout_and_its_late_answer_counts_as_stale) {
  ask("hr/a");
  const Received question = host_->take(Kind::inspect);
  EXPECT_LE(core->next_wakeup(), now + Inquiries::kTimeout);
  pass_with_all(Inquiries::kTimeout - 1ms);
  EXPECT_EQ(asker_->count(Kind::error), 0U);
  pass_with_all(1ms);
  const Received error = asker_->take(Kind::error);
  EXPECT_EQ(error.code, ErrorCode::timeout);
  EXPECT_TRUE(error.payload.ends_with("did not answer in time")) << error.payload;
  tell(*host_, question, some_vitals().bytes());
  EXPECT_EQ(asker_->count(Kind::reply), 0U);
  EXPECT_EQ(number("parley_broker_stale_replies_total"), 1U);
}

TEST_F(Inspection, of_a_worker_that_is_stuck_names_the_agent_that_keeps_its_loop_busy) {
  const wire::WorkerVitals stuck{.pid = 42, .loop_lag_ms = 12'345, .executing = {"hr/hog"}, .can_be_inspected = true};
  const ByteBuffer body = wire::encode_body(stuck);
  host_->tell({.kind = Kind::heartbeat, .message_id = 1, .payload = body.bytes()});
  ask("hr/a");
  pass_with_all(Inquiries::kTimeout);
  const Received error = asker_->take(Kind::error);
  EXPECT_EQ(error.code, ErrorCode::timeout);
  EXPECT_TRUE(error.payload.ends_with("did not answer in time: its loop has been busy for 12 s with 'hr/hog'"))
      << error.payload;
}

// [P-INS-1]
TEST_F(Inspection, by_a_worker_that_is_lost_ends_without_waiting_for_its_time) {
  ask("hr/a");
  lose(*host_);
  pass_with_all(300ms);
  std::vector<ErrorCode> codes;
  while (asker_->count(Kind::error) > 0) codes.push_back(asker_->take(Kind::error).code);
  EXPECT_EQ(codes, (std::vector{ErrorCode::worker_lost, ErrorCode::worker_lost})) << "its request, and the question";
}

// [P-INS-1]
TEST_F(Inspection, by_a_worker_that_does_not_know_the_question_fails_at_once) {
  const ByteBuffer old = wire::encode_body(wire::WorkerVitals{.pid = 42});
  host_->tell({.kind = Kind::heartbeat, .message_id = 1, .payload = old.bytes()});
  ask("hr/a");
  EXPECT_EQ(asker_->take(Kind::error).code, ErrorCode::no_handler);
  EXPECT_EQ(host_->count(Kind::inspect), 0U);
  const ByteBuffer knowing = wire::encode_body(wire::WorkerVitals{.pid = 42, .can_be_inspected = true});
  host_->tell({.kind = Kind::heartbeat, .message_id = 2, .payload = knowing.bytes()});
  ask("hr/a");
  EXPECT_EQ(host_->count(Kind::inspect), 1U);
}

// [P-INS-1]
TEST_F(Inspection, of_an_agent_that_has_left_meanwhile_is_undeliverable) {
  ask("hr/a");
  tell(*host_, host_->take(Kind::inspect), {});
  EXPECT_EQ(asker_->take(Kind::error).code, ErrorCode::undeliverable);
}

TEST_F(Inspection, answered_with_nonsense_is_invalid) {
  ask("hr/a");
  tell(*host_, host_->take(Kind::inspect), as_bytes("\xC1"));
  EXPECT_EQ(asker_->take(Kind::error).code, ErrorCode::invalid);
}

// [P-INS-3]
TEST_F(Inspection, cannot_be_answered_by_another_worker) {
  FakePeer& other = worker({"it"});
  ask("hr/a");
  const Received question = host_->take(Kind::inspect);
  tell(other, question, some_vitals().bytes());
  EXPECT_TRUE(asker_->got_nothing());
  EXPECT_EQ(number("parley_broker_stale_replies_total"), 1U);
  tell(*host_, question, some_vitals().bytes());
  EXPECT_EQ(asker_->count(Kind::reply), 1U);
}

// [P-LIM-18]
TEST_F(Inspection, beyond_so_many_at_a_time_is_overloaded) {
  for (std::size_t i = 0; i < Inquiries::kMaxUnderWay; ++i) ask("hr/a");
  EXPECT_EQ(asker_->count(Kind::error), 0U);
  ask("hr/a");
  EXPECT_EQ(asker_->take(Kind::error).code, ErrorCode::overloaded);
  tell(*host_, host_->take(Kind::inspect), some_vitals().bytes());
  ask("hr/a");
  EXPECT_EQ(asker_->count(Kind::error), 0U);
}

TEST_F(Inspection, that_nobody_waits_for_any_more_is_forgotten) {
  FakePeer& hasty = client();
  hasty.ask(Kind::query, wire::Query{.what = "activation", .key = "hr/a"});
  hasty.goodbye();
  tell(*host_, host_->take(Kind::inspect), some_vitals().bytes());
  EXPECT_EQ(number("parley_broker_stale_replies_total"), 0U);
  EXPECT_EQ(hasty.count(Kind::reply), 0U);
}

}  // namespace
}  // namespace parley::broker
