// Which processes a suite consists of, in the order in which they start. Pure; any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agents/host/agents_config.hpp"

namespace parley::cli {

struct ProcessPlan {
  std::string name;  ///< for people and for the log file: `broker`, or the worker's name
  std::vector<std::string> command;
};

/// The broker at `endpoint`, then every worker, run from the programs in `program_folder`.
[[nodiscard]] std::vector<ProcessPlan> plan_suite(const host::SuiteConfig& suite, const std::string& endpoint,
                                                  const std::filesystem::path& program_folder);

}  // namespace parley::cli
