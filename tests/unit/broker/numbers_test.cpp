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
