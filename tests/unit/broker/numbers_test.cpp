#include <algorithm>

#include "broker/core/labelled_numbers.hpp"
#include "tests/unit/broker/bus_fixture.hpp"

namespace parley::broker {
namespace {

class LabelledNumbers : public Bus {
 public:
  [[nodiscard]] std::uint64_t series(std::string_view name) const {
    const auto all = core->labelled_numbers();
    const auto found = std::ranges::find(all, name, &wire::NamedNumber::name);
    EXPECT_NE(found, all.end()) << name;
    return found == all.end() ? 0 : found->value;
  }
  [[nodiscard]] std::ptrdiff_t series_of(std::string_view prefix) const {
    return std::ranges::count_if(core->labelled_numbers(),
                                 [prefix](const auto& number) { return number.name.starts_with(prefix); });
  }
};

TEST_F(LabelledNumbers, follow_a_type_through_its_requests) {
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  caller.request("hr/a");
  EXPECT_EQ(series("parley_broker_type_inflight{agent_type=\"hr\"}"), 2U);
  host.reply(host.take(Kind::request));
  host.fail(host.take(Kind::request), ErrorCode::handler_failed, "boom");
  EXPECT_EQ(series("parley_broker_type_requests_total{agent_type=\"hr\"}"), 2U);
  EXPECT_EQ(series("parley_broker_type_failures_total{agent_type=\"hr\"}"), 1U);
  EXPECT_EQ(series("parley_broker_outcomes_total{code=\"ok\"}"), 1U);
  EXPECT_EQ(series("parley_broker_outcomes_total{code=\"handler_failed\"}"), 1U);
  EXPECT_EQ(series("parley_broker_workers{state=\"healthy\"}"), 1U);
}

TEST_F(LabelledNumbers, show_what_waits_and_for_how_long) {
  FakePeer& host = worker({"hr"});
  lose(host);
  FakePeer& caller = client();
  caller.request("hr/a");
  pass(2s, {&caller});
  EXPECT_EQ(series("parley_broker_type_parked{agent_type=\"hr\"}"), 1U);
  EXPECT_EQ(series("parley_broker_mailbox_depth{agent_type=\"hr\"}"), 1U);
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), 2U);
}

TEST_F(LabelledNumbers, show_the_age_of_what_waits_for_a_peers_credit) {
  FakePeer& host = worker({"hr"}, 1);
  FakePeer& caller = client();
  caller.request("hr/a");
  caller.request("hr/a", "second");
  pass_with_all(2s);
  caller.request("hr/a", "third");
  pass_with_all(1s);
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), 3U);
  EXPECT_EQ(core->ps(now).peers.at(0).oldest_queued_ms, 3000U);
  std::uint64_t received = 0;
  for (const std::size_t bytes : host.data_frames) received += bytes;
  host.credit(received);
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), 0U) << "both were in one frame";
  EXPECT_EQ(core->ps(now).peers.at(0).oldest_queued_ms, 0U);
}

TEST_F(LabelledNumbers, show_the_age_of_what_is_held_for_an_agent_that_is_put_away) {
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client();
  caller.request("hr/a");
  const Received placed = host.take(Kind::activate);
  host.about(Kind::passivate, "hr/a", placed.delivery_id);
  caller.request("hr/a");
  pass_with_all(3s);
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), 3U);
  EXPECT_EQ(core->ps(now).types.at(0).oldest_waiting_ms, 3000U);
  host.about(Kind::deactivated, "hr/a", placed.delivery_id);
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), 0U);
}

TEST_F(LabelledNumbers, show_the_age_of_what_waits_in_a_mailbox_and_add_that_of_the_heartbeat) {
  FakePeer& host = worker({"hr"});
  wire::WorkerVitals vitals;
  vitals.types = {{.name = "hr", .waiting = 2, .oldest_waiting_ms = 40'000}};
  ByteBuffer body = wire::encode_body(vitals);
  host.tell({.kind = Kind::heartbeat, .message_id = 1, .payload = body.bytes()});
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), 40U);
  pass(2s);
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), 42U);
  EXPECT_EQ(core->ps(now).types.at(0).oldest_waiting_ms, 42'000U);
  vitals.types[0].waiting = 0;
  vitals.types[0].oldest_waiting_ms = 0;
  body = wire::encode_body(vitals);
  host.tell({.kind = Kind::heartbeat, .message_id = 2, .payload = body.bytes()});
  pass(1s);
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), 0U) << "of nothing no age is added";
}

TEST_F(LabelledNumbers, do_not_overflow_for_a_worker_that_tells_nonsense) {
  FakePeer& host = worker({"hr"});
  wire::WorkerVitals vitals;
  vitals.types = {{.name = "hr", .waiting = 1, .oldest_waiting_ms = UINT64_MAX}};
  const ByteBuffer body = wire::encode_body(vitals);
  host.tell({.kind = Kind::heartbeat, .message_id = 1, .payload = body.bytes()});
  EXPECT_EQ(number("parley_broker_oldest_waiting_seconds"), std::uint64_t{10'000} * 3600);
}

TEST_F(LabelledNumbers, count_each_message_under_exactly_one_outcome) {
  FakePeer& host = worker({"hr"});
  FakePeer& caller = client();
  caller.request("nobody/a");
  caller.send("hr/a");
  host.done(host.take(Kind::send));
  const auto timed = caller.request("hr/a", "ping", 500);
  caller.cancel(caller.request("hr/a"));
  pass(1s, {&caller, &host});
  EXPECT_GT(timed, 0U);
  std::uint64_t sum = 0;
  for (const wire::NamedNumber& row : core->labelled_numbers()) {
    if (row.name.starts_with("parley_broker_outcomes_total")) sum += row.value;
  }
  EXPECT_EQ(sum, 4U);
  EXPECT_EQ(series("parley_broker_outcomes_total{code=\"unknown_agent_type\"}"), 1U);
  EXPECT_EQ(series("parley_broker_outcomes_total{code=\"timeout\"}"), 1U);
  EXPECT_EQ(series("parley_broker_outcomes_total{code=\"cancelled\"}"), 1U);
}

TEST_F(LabelledNumbers, tell_the_health_of_a_type_as_ps_does) {
  FakePeer& host = worker({"hr"});
  EXPECT_EQ(series("parley_broker_type_workers{agent_type=\"hr\"}"), 1U);
  EXPECT_EQ(series("parley_broker_type_health{agent_type=\"hr\"}"), 0U) << "healthy";
  client().ask(Kind::operate, wire::Operate{.what = "quarantine", .key = "hr", .reason = "odd"});
  EXPECT_EQ(core->ps(now).types.at(0).health, "quarantined");
  EXPECT_EQ(series("parley_broker_type_health{agent_type=\"hr\"}"), 4U) << "quarantined";
  client().ask(Kind::operate, wire::Operate{.what = "release", .key = "hr", .reason = ""});
  lose(host);
  EXPECT_EQ(core->ps(now).types.at(0).health, "stopped");
  EXPECT_EQ(series("parley_broker_type_workers{agent_type=\"hr\"}"), 0U);
  EXPECT_EQ(series("parley_broker_type_health{agent_type=\"hr\"}"), 3U) << "no worker";
}

TEST_F(LabelledNumbers, of_a_type_that_is_gone_end_with_its_memory) {
  FakePeer& host = worker({"hr"});
  lose(host);
  EXPECT_EQ(series_of("parley_broker_type_parked{agent_type=\"hr\"}"), 1);
  pass(11min);
  EXPECT_EQ(series_of("parley_broker_type_parked"), 0);
}

TEST_F(LabelledNumbers, are_bounded_however_many_types_there_are) {
  std::vector<std::string> types;
  for (std::size_t i = 0; i < kMaxTypesWithSeries + 50; ++i) types.push_back("t" + std::to_string(i));
  worker(types);
  EXPECT_EQ(series_of("parley_broker_type_inflight"), static_cast<std::ptrdiff_t>(kMaxTypesWithSeries) + 1);
  FakePeer& caller = client();
  caller.request("t300/a");
  EXPECT_EQ(series("parley_broker_type_inflight{agent_type=\"other\"}"), 1U);
}

}  // namespace
}  // namespace parley::broker
