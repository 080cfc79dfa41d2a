// One task given to an agent of a suite, from the first process to the last: `parley run`. Main thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "agents/host/agents_config.hpp"
#include "services/cli/environment.hpp"

namespace parley::cli {

struct TeamRunOptions {
  std::string task;
  std::string agent;  ///< type
  std::optional<std::filesystem::path> transcript;
  std::chrono::milliseconds timeout{30 * 60 * 1000};
};

/// Which agent of a suite gets the task: the named one, or the only team that is no member of another team, or the only
/// agent there is. Fails with `invalid`; the message lists the choices.
[[nodiscard]] Result<std::string> choose_agent(const host::SuiteConfig& suite, const std::optional<std::string>& name);

/// With broker and workers as processes of their own, on an endpoint and in a folder that go with them.
int run_team_in_processes(const Environment& environment, const host::SuiteConfig& suite,
                          const TeamRunOptions& options);
/// With all agents in this process, without a broker.
int run_team_here(const Environment& environment, const host::SuiteConfig& suite, const TeamRunOptions& options);

}  // namespace parley::cli
