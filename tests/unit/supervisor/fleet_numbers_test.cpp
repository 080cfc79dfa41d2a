#include "services/supervisor/fleet_numbers.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "monitoring/catalogue.hpp"

namespace parley::supervisor {
namespace {

std::vector<ProcessView> one_running() {
  ProcessView view;
  view.name = "hr";
  view.state = ProcessState::running;
  return {view};
}

std::uint64_t value_of(const std::vector<FleetNumber>& numbers, const std::string& name) {
  for (const FleetNumber& number : numbers) {
    if (number.name == name) return number.value;
  }
  ADD_FAILURE() << "no " << name;
  return 0;
}

TEST(FleetNumbers, begin_at_zero_with_every_series) {
  const auto numbers = FleetNumbers().numbers(one_running());
  for (const std::string& event : all_fleet_events()) {
    EXPECT_EQ(value_of(numbers, "parley_supervisor_events_total{event=\"" + event + "\"}"), 0U);
  }
  EXPECT_EQ(value_of(numbers, R"(parley_supervisor_restarts_total{process="hr",reason="crash"})"), 0U);
  EXPECT_EQ(value_of(numbers, R"(parley_supervisor_processes{state="running"})"), 1U);
  EXPECT_EQ(value_of(numbers, R"(parley_supervisor_process_up{process="hr"})"), 1U);
}

TEST(FleetNumbers, count_restarts_by_process_and_reason) {
  FleetNumbers fleet;
  fleet.count_restart("hr", "health");
  fleet.count_restart("hr", "health");
  EXPECT_EQ(value_of(fleet.numbers(one_running()), R"(parley_supervisor_restarts_total{process="hr",reason="health"})"),
            2U);
}

TEST(FleetNumbers, say_nothing_of_being_up_about_a_pod_that_was_scaled_away) {
  std::vector<ProcessView> pods = one_running();
  pods[0].state = ProcessState::waiting;
  pods[0].has_been_ready = true;
  const auto has_up = [&pods] {
    const auto numbers = FleetNumbers().numbers(pods);
    return std::ranges::any_of(numbers,
                               [](const auto& number) { return number.name.find("_up{") != std::string::npos; });
  };
  EXPECT_FALSE(has_up());
  pods[0].has_failed = true;
  EXPECT_TRUE(has_up()) << "it is missed";
  pods[0].has_failed = false;
  pods[0].next_start = TimePoint{};
  EXPECT_TRUE(has_up()) << "it is about to be started";
}

TEST(FleetNumbers, are_those_of_the_catalogue) {
  std::set<std::string> exported;
  for (const FleetNumber& number : FleetNumbers().numbers(one_running())) {
    exported.insert(number.name.substr(0, number.name.find('{')));
  }
  std::set<std::string> listed;
  for (const monitoring::MetricInfo& info : monitoring::metric_catalogue()) {
    if (info.name.starts_with("parley_supervisor_")) listed.insert(std::string(info.name));
  }
  EXPECT_EQ(exported, listed);
}

}  // namespace
}  // namespace parley::supervisor
