#include "services/cli/suite/suite_plan.hpp"

namespace parley::cli {

std::vector<ProcessPlan> plan_suite(const host::SuiteConfig& suite, const std::string& endpoint,
                                    const std::filesystem::path& program_folder) {
  std::vector<ProcessPlan> plan;
  ProcessPlan& broker = plan.emplace_back(
      "broker", std::vector{(program_folder / "parley-broker").string(), std::string("--listen"), endpoint});
  if (suite.broker.metrics_port) {
    broker.command.insert(broker.command.end(), {"--metrics-port", std::to_string(*suite.broker.metrics_port)});
  }
  if (suite.broker.is_insecure_allowed) broker.command.emplace_back("--insecure");

  for (const host::SuiteWorker& worker : suite.workers) {
    ProcessPlan& agent = plan.emplace_back(worker.config.name, std::vector{(program_folder / "parley-agent").string()});
    agent.command.insert(agent.command.end(), worker.arguments.begin(), worker.arguments.end());
    agent.command.insert(agent.command.end(), {"--broker", endpoint});
    if (suite.broker.is_insecure_allowed) agent.command.emplace_back("--insecure");
  }
  return plan;
}

}  // namespace parley::cli
