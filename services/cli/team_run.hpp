// One task given to an agent of a suite, from the first process to the last: `parley run`. Main thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "agents/host/agents_config.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/ids.hpp"
#include "services/cli/environment.hpp"

namespace parley::cli {

struct TeamRunOptions {
  std::string task;
  std::string agent;  ///< type
  std::optional<std::filesystem::path> transcript;
  /// Without `transcript`: one in the current folder, named after the time. A folder that cannot be written is no
  /// failure.
  bool has_own_transcript = false;
  std::chrono::milliseconds timeout{30 * 60 * 1000};
};

/// Which agent of a suite gets the task: the named one, or the only team that is no member of another team, or the only
/// agent there is. Fails with `invalid`; the message lists the choices.
[[nodiscard]] Result<std::string> choose_agent(const host::SuiteConfig& suite, const std::optional<std::string>& name);

/// Whom a chat with a suite talks to: the named one (type or type/key), or its user proxy, or as choose_agent() does.
/// `session` is the key unless the name has one. Fails with `invalid`; the message lists the choices.
[[nodiscard]] Result<AgentId> choose_chat_agent(const host::SuiteConfig& suite, const std::optional<std::string>& name,
                                                const std::string& session);

/// `parley-run-20260314-150926.md`: the file of a run that began then (UTC).
[[nodiscard]] std::string own_transcript_name(WallTime started);

/// With broker and workers as processes of their own, on an endpoint and in a folder that go with them.
int run_team_in_processes(const Environment& environment, const host::SuiteConfig& suite,
                          const TeamRunOptions& options);
/// With all agents in this process, without a broker.
int run_team_here(const Environment& environment, const host::SuiteConfig& suite, const TeamRunOptions& options);

}  // namespace parley::cli
