// What a host does when the broker's word, the clock and the session cross each other.
#include "libmsg/core/retry_hint.hpp"
#include "tests/unit/runtime/host_fixture.hpp"

namespace parley {
namespace {

using ::testing::ElementsAre;

/// Sleeps for a minute and fails with what the sleep says.
Closure sleeper() {
  return [](const Payload&, Context& context) -> Task<Result<Payload>> {
    const Result<> slept = co_await context.sleep(1min);
    if (!slept) co_return fail(slept.error());
    co_return Payload{};
  };
}

TEST_F(HostTest, handler_cut_by_the_deadline_answers_timeout) {
  serve("sleeper", sleeper());
  receive({activation("sleeper/x"), request("sleeper/x", 5, 50)});
  pass(50ms);
  EXPECT_THAT(answers(), ElementsAre("timeout"));
}

TEST_F(HostTest, part_after_the_deadline_makes_the_answer_timeout) {
  serve("talker", [this](const Payload&, Context& context) -> Task<Result<Payload>> {
    clock_.advance(60ms);  // computes for long
    Payload piece{"test.Part", "x"};
    const Result<> said = co_await context.part(std::move(piece));
    co_return fail(said.error());
  });
  receive({activation("talker/x"), request("talker/x", 5, 50)});
  EXPECT_THAT(answers(), ElementsAre("timeout"));
}

TEST_F(HostTest, handler_whose_caller_cancelled_answers_cancelled) {
  serve("sleeper", sleeper());
  receive({activation("sleeper/x"), request("sleeper/x", 5, 50)});
  receive({{.kind = wire::Kind::cancel, .delivery_id = 5}});
  EXPECT_THAT(answers(), ElementsAre("cancelled"));
}

Closure replying() {
  return [](const Payload&, Context&) -> Task<Result<Payload>> { co_return Payload{}; };
}

// [P-BND-6]
TEST_F(HostTest, answers_of_a_large_bundle_leave_while_its_last_turns_wait) {
  constexpr std::uint64_t kRequests = 100;
  std::vector<std::size_t> sent_before;
  serve("agent", [&](const Payload&, Context&) -> Task<Result<Payload>> {
    sent_before.push_back(answers().size());
    co_return Payload{"test.Text", std::string(1000, 'x')};
  });
  std::vector<wire::EnvelopeFields> envelopes{activation("agent/x")};
  for (std::uint64_t delivery = 1; delivery <= kRequests; ++delivery) envelopes.push_back(request("agent/x", delivery));
  receive(envelopes);
  ASSERT_EQ(sent_before.size(), kRequests);
  EXPECT_EQ(sent_before[20], 0U);  // Not one by one.
  EXPECT_GT(sent_before[kRequests - 1], kRequests / 2);
  EXPECT_EQ(answers(), std::vector<std::string>(kRequests, "ok"));
}

// [P-LIM-11]
TEST_F(HostTest, call_chain_of_sixteen_agents_runs_and_one_of_seventeen_is_a_deadlock) {
  serve("last", replying());
  const auto chain_of = [](std::size_t agents) {
    std::string chain = "a/0";
    for (std::size_t i = 1; i < agents; ++i) chain += "\na/" + std::to_string(i);
    ByteBuffer attributes;
    EXPECT_TRUE(wire::append_attribute(attributes, wire::attribute::kCallChain, chain).has_value());
    return attributes;
  };
  const ByteBuffer longest = chain_of(16);
  const ByteBuffer too_long = chain_of(17);
  receive({activation("last/x"), request("last/x", 5, 1000, longest.bytes())});
  receive({request("last/x", 6, 1000, too_long.bytes())});
  EXPECT_THAT(answers(), ElementsAre("ok", "deadlock"));
}

// The loop was busy while its link lost one session and got the next: the broker has given those messages up.
// [P-PEER-5] [P-HB-4]
TEST_F(HostTest, message_of_a_session_that_its_link_has_lost_never_starts) {
  int started = 0;
  serve("agent", [&started](const Payload&, Context&) -> Task<Result<Payload>> {
    started++;
    co_return Payload{};
  });
  queue({activation("agent/x"), request("agent/x", 5)});
  wire_.session = SessionToken(kSession + 1);
  wire_.inbound.push_back({0, link::SessionLost{.reason = "test", .last_sent = MessageId(0)}});
  open_session(kSession + 1);
  pass(1s);
  EXPECT_EQ(started, 0);
}

// [P-ACT-9]
TEST_F(HostTest, type_that_was_unregistered_takes_what_was_under_way_to_it) {
  serve("hr", [](const Payload&, Context&) -> Task<Result<Payload>> { co_return Payload{}; });
  spawn([this]() -> Task<> { (void)co_await host_->unregister_type("hr"); });
  receive({activation("hr/a"), request("hr/a", 1)});
  EXPECT_THAT(answers(), ::testing::ElementsAre("ok"));
  EXPECT_EQ(count(wire::Kind::deactivated), 0U);
  receive({{.kind = wire::Kind::passivate, .delivery_id = 1, .target = "hr/a"}});
  EXPECT_EQ(count(wire::Kind::deactivated), 1U);
}

// [P-ACT-9]
TEST_F(HostTest, agents_of_an_unregistered_type_end_with_their_session) {
  serve("hr", [](const Payload&, Context&) -> Task<Result<Payload>> { co_return Payload{}; });
  receive({activation("hr/a"), request("hr/a", 1)});
  spawn([this]() -> Task<> { (void)co_await host_->unregister_type("hr"); });
  EXPECT_EQ(host_->stats().at("hr").activations, 1U);
  lose_session();
  EXPECT_EQ(count(wire::Kind::deactivated), 1U);
  EXPECT_FALSE(host_->stats().contains("hr"));
}

// [P-BRK-6]
TEST_F(HostTest, that_stops_says_drain_again_in_the_next_session) {
  serve("agent", sleeper());
  receive({activation("agent/x"), request("agent/x", 1)});
  spawn([this]() -> Task<> { co_await host_->stop(10s); });
  EXPECT_EQ(count(wire::Kind::drain), 1U);
  lose_session();
  open_session(kSession + 1);
  EXPECT_EQ(count(wire::Kind::drain), 2U);
}

TEST_F(HostTest, type_registered_without_a_session_is_told_to_the_next_one) {
  serve("first", sleeper());
  lose_session();
  bool is_registered = false;
  spawn([this, &is_registered]() -> Task<> {
    is_registered = (co_await host_->register_closure("second", sleeper(), {}, {})).has_value();
  });
  // The link may have said HELLO already, without the new type.
  EXPECT_TRUE(is_registered);
  EXPECT_THAT(wire_.announced_types, ElementsAre("first", "second"));
  EXPECT_EQ(count(wire::Kind::register_type), 1U);
}

TEST_F(HostTest, type_registered_before_the_start_is_left_to_the_first_hello) {
  serve("first", sleeper());
  EXPECT_THAT(wire_.announced_types, ElementsAre("first"));
  EXPECT_EQ(count(wire::Kind::register_type), 0U);
}

class CappedHost : public HostTest {
 protected:
  CappedHost() {
    host_->close();
    host_ = AgentHost::make(io_, clock_, random_, AgentHost::Timing::stepped, {.max_activations = 2});
    host_->attach(std::make_unique<FakePort>(wire_));
  }
};

TEST_F(CappedHost, asks_to_put_away_the_least_recently_used_activation_above_its_limit) {
  serve("agent", replying());
  receive({activation("agent/1", 1), request("agent/1", 1), activation("agent/2", 2), request("agent/2", 2)});
  EXPECT_EQ(count(wire::Kind::passivate), 0U);
  receive({activation("agent/3", 3), request("agent/3", 3)});
  ASSERT_EQ(count(wire::Kind::passivate), 1U);
  EXPECT_EQ(std::ranges::find(wire_.written, wire::Kind::passivate, &Written::kind)->target, "agent/1");
  EXPECT_EQ(host_->host_stats().surplus_passivations, 1U);
  EXPECT_EQ(host_->host_stats().activations, 3U) << "until the broker agrees";
  EXPECT_EQ(host_->host_stats().limits.max_activations, 2U);
}

TEST_F(HostTest, message_cancelled_while_it_waits_never_runs_and_counts_as_cancelled) {
  int started = 0;
  serve("sleeper", [&started](const Payload&, Context& context) -> Task<Result<Payload>> {
    started++;
    (void)co_await context.sleep(1min);
    co_return Payload{};
  });
  receive({activation("sleeper/x"), request("sleeper/x", 5), request("sleeper/x", 6)});
  EXPECT_EQ(host_->stats().at("sleeper").waiting, 1U);
  receive({{.kind = wire::Kind::cancel, .delivery_id = 6}});
  EXPECT_EQ(host_->stats().at("sleeper").waiting, 0U);
  EXPECT_EQ(host_->stats().at("sleeper").outcomes, (std::map<std::string, std::uint64_t>{{"cancelled", 1}}));
  pass(1min);
  EXPECT_EQ(started, 1);
  EXPECT_THAT(answers(), ElementsAre("ok"));
}

TEST_F(HostTest, message_in_a_mailbox_ages_in_the_vitals_and_the_numbers_of_its_type) {
  serve("sleeper", sleeper());
  receive({activation("sleeper/x"), activation("sleeper/y"), request("sleeper/x", 5), request("sleeper/y", 6)});
  pass(1s);
  receive({request("sleeper/x", 7)});
  pass(2s);
  receive({request("sleeper/x", 8), request("sleeper/y", 9)});
  pass(1s);
  EXPECT_EQ(vitals().types.at(0).waiting, 3U);
  EXPECT_EQ(vitals().types.at(0).oldest_waiting_ms, 3000U);
  EXPECT_EQ(host_->stats().at("sleeper").oldest_waiting, 3s);
  pass(1min);
  EXPECT_EQ(vitals().types.at(0).waiting, 1U);
  EXPECT_EQ(vitals().types.at(0).oldest_waiting_ms, 61'000U) << "the next in the mailbox is the oldest now";
  pass(1min);
  EXPECT_EQ(vitals().types.at(0).oldest_waiting_ms, 0U);
  EXPECT_EQ(host_->stats().at("sleeper").oldest_waiting, 0s);
}

TEST_F(HostTest, message_that_waits_for_the_lease_ages_in_the_vitals_of_its_type) {
  serve("sleeper", sleeper());
  receive({activation("sleeper/x")});
  wire_.lease = clock_.now();  // nothing starts
  receive({request("sleeper/x", 5)});
  pass(2s);
  EXPECT_EQ(vitals().types.at(0).oldest_waiting_ms, 2000U);
}

// [P-INS-2]
TEST_F(HostTest, busy_activation_is_inspected_at_once) {
  serve("sleeper", [](const Payload&, Context& context) -> Task<Result<Payload>> {
    (void)co_await context.sleep(1min);
    co_return fail(ErrorCode::handler_failed, "boom");
  });
  receive({activation("sleeper/x"), request("sleeper/x", 5), request("sleeper/x", 6)});
  pass(1min);
  receive({request("sleeper/x", 7)});
  pass(3s);
  receive({inspection("sleeper/x", 99)});
  ASSERT_EQ(count(wire::Kind::inspect), 1U);
  const Written& told = wire_.written.back();
  EXPECT_EQ(told.message_id, 99U);
  const auto row = wire::decode_body<wire::ActivationVitals>(as_bytes(told.payload)).value();
  EXPECT_EQ(row.id, "sleeper/x");
  EXPECT_EQ(row.waiting, 1U);
  EXPECT_EQ(row.oldest_waiting_ms, 3000U);
  EXPECT_EQ(row.inflight, 1U);
  EXPECT_EQ(row.failures, 1U);
  EXPECT_EQ(row.consecutive_failures, 1U);
  EXPECT_EQ(row.without_progress_ms, 3000U);
  EXPECT_EQ(row.latency_p95_us, 60'000'000U);
  EXPECT_GT(row.last_activity_ms, 0U);
  EXPECT_TRUE(vitals().can_be_inspected);
}

// [P-INS-2]
TEST_F(HostTest, activation_that_is_not_here_is_told_of_by_an_empty_answer) {
  serve("sleeper", sleeper());
  receive({inspection("sleeper/x", 99)});
  ASSERT_EQ(count(wire::Kind::inspect), 1U);
  EXPECT_EQ(wire_.written.back().message_id, 99U);
  EXPECT_TRUE(wire_.written.back().payload.empty());
}

TEST_F(HostTest, activation_whose_last_waiting_message_is_cancelled_leaves_when_the_broker_agreed) {
  serve("sleeper", sleeper());
  receive({activation("sleeper/x")});
  wire_.lease = clock_.now();  // nothing starts
  receive({request("sleeper/x", 5), {.kind = wire::Kind::passivate, .delivery_id = 1, .target = "sleeper/x"}});
  EXPECT_EQ(count(wire::Kind::deactivated), 0U);
  receive({{.kind = wire::Kind::cancel, .delivery_id = 5}});
  EXPECT_EQ(count(wire::Kind::deactivated), 1U);
}

class Calling : public HostTest {
 protected:
  Calling() {
    start();
    open_session();
  }
  /// Its outcome comes into errors_ when it fails.
  void call() {
    spawn([this]() -> Task<> {
      Payload payload{"test.Ask", "x"};
      CallOptions options;
      options.timeout = 1s;
      Target whom = Target::parse("hr/a").value();
      const Result<Payload> reply = co_await host_->client().request(std::move(whom), std::move(payload), options);
      if (!reply) errors_.push_back(reply.error());
    });
  }
  void answer_overloaded(std::string_view retry_after) {
    ByteBuffer attributes;
    EXPECT_TRUE(wire::append_attribute(attributes, wire::attribute::kRetryAfterMs, retry_after).has_value());
    receive({{.kind = wire::Kind::error,
              .message_id = wire_.written.back().message_id,
              .code = ErrorCode::overloaded,
              .attributes = attributes.bytes()}});
  }
  std::vector<Error> errors_;
};

TEST_F(Calling, caller_learns_when_to_try_again) {
  call();
  answer_overloaded("250");
  ASSERT_EQ(errors_.size(), 1U);
  EXPECT_EQ(errors_[0].detail(kRetryAfterDetail), "250");
}

TEST_F(Calling, hint_that_is_no_number_is_left_out) {
  for (const char* nonsense : {"", "soon", "-1", "5 ", "99999999999999999999"}) {
    call();
    answer_overloaded(nonsense);
    ASSERT_FALSE(errors_.empty());
    EXPECT_TRUE(errors_.back().details.empty()) << nonsense;
  }
}

TEST_F(Calling, ids_of_messages_are_unique_and_ascend_over_kinds_and_sessions) {
  for (int round = 0; round < 3; ++round) {
    call();
    spawn([this]() -> Task<> {
      Payload payload{"test.Ask", "x"};
      Topic topic = Topic::parse("news/a").value();
      (void)co_await host_->client().publish(std::move(topic), std::move(payload));
    });
    lose_session(wire_.written.back().message_id);
    open_session(kSession + static_cast<std::uint64_t>(round) + 1);
  }
  std::vector<std::uint64_t> ids;
  for (const Written& written : wire_.written) ids.push_back(written.message_id);
  ASSERT_EQ(ids.size(), 6U);
  EXPECT_EQ(std::ranges::adjacent_find(ids, std::greater_equal()), ids.end());
  EXPECT_GT(ids.front(), 0U);
}

TEST_F(HostTest, what_it_throws_away_is_counted_by_reason) {
  serve("sleeper", sleeper());
  receive({activation("sleeper/x"), request("sleeper/x", 5), request("sleeper/x", 6)});
  receive({{.kind = wire::Kind::reply, .message_id = 99}});
  wire_.inbound.push_back({0, net::Frame(ByteBuffer(as_bytes("no bundle")))});
  host_->pump();
  lose_session();
  pass(1min);
  const HostDrops drops = host_->host_stats().drops;
  EXPECT_EQ(drops.late_answers, 1U);
  EXPECT_EQ(drops.malformed, 1U);
  EXPECT_EQ(drops.lost_waiting, 1U);
  EXPECT_EQ(drops.stale_replies, 1U);
  EXPECT_EQ(drops.publishes, 0U);
}

}  // namespace
}  // namespace parley
