#include "services/cli/suite/suite_plan.hpp"

namespace parley::cli {
namespace {

supervisor::PolicyConfig policy_of(const host::SupervisionConfig& config) {
  supervisor::PolicyConfig policy;
  if (config.is_rest_for_one) policy.strategy = supervisor::Strategy::rest_for_one;
  policy.max_crashes = config.max_crashes;
  policy.crash_window = config.crash_window;
  policy.probe_after = config.probe_after;
  policy.healthy_reset = config.healthy_reset;
  policy.start_timeout = config.start_timeout;
  policy.max_simultaneous = config.max_simultaneous;
  return policy;
}

}  // namespace

supervisor::SuitePlan plan_suite(const host::SuiteConfig& suite, const std::string& endpoint,
                                 const SuiteFolders& folders) {
  supervisor::SuitePlan plan;
  plan.broker = endpoint;
  plan.is_insecure_allowed = suite.broker.is_insecure_allowed;
  plan.policy = policy_of(suite.supervision);
  supervisor::PlannedProcess& broker = plan.processes.emplace_back("broker", supervisor::Role::broker);
  broker.command = {(folders.programs / "parley-broker").string(), "--listen", endpoint, "--state-dir",
                    (folders.run / "broker").string()};
  broker.command.insert(broker.command.end(),
                        {"--metrics-port", std::to_string(suite.broker.metrics_port.value_or(0))});
  if (suite.broker.is_insecure_allowed) broker.command.emplace_back("--insecure");

  if (suite.budgets) {
    // Before the workers: without its word they make no call.
    supervisor::PlannedProcess& ledger = plan.processes.emplace_back("ledger", supervisor::Role::worker);
    ledger.command = {(folders.programs / "parley-ledger").string(),
                      "--config",
                      suite.file.string(),
                      "--state-dir",
                      (folders.ledger.empty() ? folders.run / "ledger" : folders.ledger).string(),
                      "--broker",
                      endpoint};
    if (suite.broker.is_insecure_allowed) ledger.command.emplace_back("--insecure");
  }
  for (const host::SuiteWorker& worker : suite.workers) {
    supervisor::PlannedProcess& agent = plan.processes.emplace_back(worker.config.name, supervisor::Role::worker);
    agent.command = {(folders.programs / "parley-agent").string()};
    agent.command.insert(agent.command.end(), worker.arguments.begin(), worker.arguments.end());
    agent.command.insert(agent.command.end(), {"--broker", endpoint});
    if (suite.broker.is_insecure_allowed) agent.command.emplace_back("--insecure");
  }
  return plan;
}

}  // namespace parley::cli
