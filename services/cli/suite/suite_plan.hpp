// Which processes a suite consists of, in the order in which they start. Pure; any thread.
#pragma once

#include <filesystem>
#include <string>

#include "agents/host/agents_config.hpp"
#include "services/supervisor/local/suite_files.hpp"

namespace parley::cli {

/// The broker at `endpoint`, the ledger if the suite has budgets, then every worker, run from the programs in
/// `program_folder`. Broker and ledger keep their state in `run_folder`.
[[nodiscard]] supervisor::SuitePlan plan_suite(const host::SuiteConfig& suite, const std::string& endpoint,
                                               const std::filesystem::path& program_folder,
                                               const std::filesystem::path& run_folder);

}  // namespace parley::cli
