// parley config validate FILE: everything that is wrong with a configuration, at once.
#include <memory>
#include <spdlog/fmt/fmt.h>

#include "agents/host/agents_config.hpp"
#include "agents/host/price_check.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"
#include "services/ledger/price_table.hpp"

namespace parley::cli {
namespace {
namespace config_verb {

int report_problems(Environment& environment, const config::ConfigProblems& problems) {
  if (environment.common.is_json) {
    for (const auto& problem : problems.items()) {
      environment.console.print(to_line({{"file", problem.file},
                                         {"line", problem.line},
                                         {"key", problem.key},
                                         {"value", problem.value},
                                         {"expected", problem.expected}}));
    }
  } else {
    environment.console.note(printable(problems.str()));
  }
  return environment.console.fail(
      Error(ErrorCode::bad_configuration,
            fmt::format("{} {} found", problems.count(), problems.count() == 1 ? "problem" : "problems")));
}

int run_validate(Environment& environment, const std::string& file) {
  const auto suite = host::load_suite(file);
  if (!suite) return report_problems(environment, suite.error());
  if (const auto problems = host::check_reach(*suite); !problems.is_empty()) {
    return report_problems(environment, problems);
  }
  if (suite->budgets && suite->budgets->prices) {
    const auto prices = ledger::load_prices(*suite->budgets->prices);
    if (!prices) return report_problems(environment, prices.error());
  }
  const std::vector<std::string> warnings = host::price_warnings(*suite);
  std::size_t agents = 0;
  for (const auto& worker : suite->workers) agents += worker.config.agents.size();
  if (environment.common.is_json) {
    environment.console.print(to_line({{"file", file},
                                       {"valid", true},
                                       {"workers", suite->workers.size()},
                                       {"agents", agents},
                                       {"warnings", warnings}}));
  } else {
    for (const std::string& warning : warnings) environment.console.note(printable("warning: " + warning));
    environment.console.print(fmt::format("{}: good ({} {}, {} {})", file, suite->workers.size(),
                                          suite->workers.size() == 1 ? "worker" : "workers", agents,
                                          agents == 1 ? "agent type" : "agent types"));
  }
  return kDone;
}

Run declare(Options& options) {
  auto file = std::make_shared<std::string>();
  options.argument("FILE", *file, "Suite or agents file");
  return [file](Environment& environment) { return run_validate(environment, *file); };
}

}  // namespace config_verb
}  // namespace

const Verb kConfigValidateVerb{"config validate", "Check a suite or agents file and list every problem",
                               "  parley config validate parley.yaml", Reach::local, &config_verb::declare};

}  // namespace parley::cli
