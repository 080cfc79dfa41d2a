// `parley up --standalone`: every agent of a suite in this process, without a broker. Main thread.
#pragma once

#include <filesystem>
#include <optional>

#include "agents/host/agents_config.hpp"
#include "libmsg/core/ids.hpp"
#include "services/cli/environment.hpp"

namespace parley::cli {

/// Hosts the suite until Ctrl-C, or, with `chat`, until the conversation with that agent on standard input ends. A
/// suite with budgets has its ledger in this process, with the book in `ledger_folder`.
int run_standalone(const Environment& environment, const host::SuiteConfig& suite,
                   const std::filesystem::path& ledger_folder, const std::optional<AgentId>& chat);

}  // namespace parley::cli
