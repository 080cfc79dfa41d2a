// Which processes a suite consists of, in the order in which they start. Pure; any thread.
#pragma once

#include <filesystem>
#include <string>

#include "agents/host/agents_config.hpp"
#include "services/supervisor/local/suite_files.hpp"

namespace parley::cli {

struct SuiteFolders {
  std::filesystem::path programs;
  std::filesystem::path run;  ///< where the broker keeps its state
  /// Where the ledger does; empty: beside the broker's, for suites without budgets.
  std::filesystem::path ledger = {};
};

/// The broker at `endpoint`, the ledger if the suite has budgets, then every worker.
[[nodiscard]] supervisor::SuitePlan plan_suite(const host::SuiteConfig& suite, const std::string& endpoint,
                                               const SuiteFolders& folders);

}  // namespace parley::cli
