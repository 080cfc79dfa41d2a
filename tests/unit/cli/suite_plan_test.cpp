#include "services/cli/suite/suite_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/cli/suite/suite_source.hpp"

namespace parley::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;

host::SuiteConfig suite_of_one() {
  host::SuiteConfig suite;
  host::SuiteWorker& worker = suite.workers.emplace_back();
  worker.config.name = "hr";
  worker.arguments = {"--config", "x.yaml", "--worker", "hr"};
  return suite;
}

TEST(SuitePlan, starts_the_broker_first_and_gives_every_worker_its_endpoint) {
  const auto plan = plan_suite(suite_of_one(), "ipc:///tmp/b.sock", "/bin");
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_THAT(plan[0].command, ElementsAre("/bin/parley-broker", "--listen", "ipc:///tmp/b.sock"));
  EXPECT_THAT(plan[1].command, ElementsAre("/bin/parley-agent", "--config", "x.yaml", "--worker", "hr", "--broker",
                                           "ipc:///tmp/b.sock"));
}

TEST(SuitePlan, leaving_the_machine_is_passed_on_only_when_asked_for) {
  auto suite = suite_of_one();
  EXPECT_THAT(plan_suite(suite, "ipc:///tmp/b.sock", "/bin")[1].command, testing::Not(Contains("--insecure")));
  suite.broker.is_insecure_allowed = true;
  for (const auto& process : plan_suite(suite, "tcp://10.0.0.1:7", "/bin"))
    EXPECT_THAT(process.command, Contains("--insecure"));
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
