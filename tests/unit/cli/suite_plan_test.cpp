#include "services/cli/suite/suite_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/cli/suite/suite_source.hpp"

namespace parley::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;

const SuiteFolders kFolders{.programs = "/bin", .run = "/run", .ledger = "/state/ledger"};

host::SuiteConfig suite_of_one() {
  host::SuiteConfig suite;
  host::SuiteWorker& worker = suite.workers.emplace_back();
  worker.config.name = "hr";
  worker.arguments = {"--config", "x.yaml", "--worker", "hr"};
  return suite;
}

TEST(SuitePlan, starts_the_broker_first_and_gives_every_worker_its_endpoint) {
  const auto plan = plan_suite(suite_of_one(), "ipc:///tmp/b.sock", kFolders).processes;
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_THAT(plan[0].command, ElementsAre("/bin/parley-broker", "--listen", "ipc:///tmp/b.sock", "--state-dir",
                                           "/run/broker", "--metrics-port", "0"));
  EXPECT_EQ(plan[0].role, supervisor::Role::broker);
  EXPECT_EQ(plan[1].role, supervisor::Role::worker);
  EXPECT_THAT(plan[1].command, ElementsAre("/bin/parley-agent", "--config", "x.yaml", "--worker", "hr", "--broker",
                                           "ipc:///tmp/b.sock"));
}

TEST(SuitePlan, starts_the_ledger_of_a_suite_with_budgets_before_its_workers) {
  auto suite = suite_of_one();
  suite.file = "x.yaml";
  suite.budgets.emplace();
  const auto plan = plan_suite(suite, "ipc:///tmp/b.sock", kFolders).processes;
  ASSERT_EQ(plan.size(), 3U);
  EXPECT_EQ(plan[1].name, "ledger");
  EXPECT_EQ(plan[1].role, supervisor::Role::worker);
  EXPECT_THAT(plan[1].command, ElementsAre("/bin/parley-ledger", "--config", "x.yaml", "--state-dir", "/state/ledger",
                                           "--broker", "ipc:///tmp/b.sock"));
}

TEST(SuitePlan, leaving_the_machine_is_passed_on_only_when_asked_for) {
  auto suite = suite_of_one();
  EXPECT_THAT(plan_suite(suite, "ipc:///tmp/b.sock", kFolders).processes[1].command,
              testing::Not(Contains("--insecure")));
  suite.broker.is_insecure_allowed = true;
  for (const auto& process : plan_suite(suite, "tcp://10.0.0.1:7", kFolders).processes)
    EXPECT_THAT(process.command, Contains("--insecure"));
}

TEST(SuitePlan, heals_by_default_as_the_policy_does_by_default) {
  const auto plan = plan_suite(suite_of_one(), "ipc:///tmp/b.sock", kFolders);
  const supervisor::PolicyConfig defaults;
  EXPECT_EQ(plan.policy.strategy, defaults.strategy);
  EXPECT_EQ(plan.policy.max_crashes, defaults.max_crashes);
  EXPECT_EQ(plan.policy.crash_window, defaults.crash_window);
  EXPECT_EQ(plan.policy.probe_after, defaults.probe_after);
  EXPECT_EQ(plan.policy.healthy_reset, defaults.healthy_reset);
  EXPECT_EQ(plan.policy.start_timeout, defaults.start_timeout);
  EXPECT_EQ(plan.policy.max_simultaneous, defaults.max_simultaneous);
}

TEST(SuitePlan, heals_as_the_suite_says) {
  auto suite = suite_of_one();
  suite.supervision.is_rest_for_one = true;
  suite.supervision.max_crashes = 9;
  const auto plan = plan_suite(suite, "ipc:///tmp/b.sock", kFolders);
  EXPECT_EQ(plan.policy.strategy, supervisor::Strategy::rest_for_one);
  EXPECT_EQ(plan.policy.max_crashes, 9U);
}

TEST(EmbeddedSuite, is_valid_and_has_the_help_desk) {
  const auto suite = load_suite(std::nullopt);
  ASSERT_TRUE(suite) << suite.error().str();
  std::vector<std::string> types;
  for (const auto& worker : suite->workers) {
    for (const auto& agent : worker.config.agents) types.push_back(agent.type);
  }
  for (const std::string type : {"user_proxy", "router", "hr", "finance"}) EXPECT_THAT(types, Contains(type));
}

}  // namespace
}  // namespace parley::cli
