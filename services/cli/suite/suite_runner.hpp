// `parley up` with processes: starts a supervisor, which starts and heals broker and workers; watches it; stops them
// all. In the foreground or detached. When the watching process is killed, the supervisor starts another in the
// background, also for a suite that ran in the foreground: nothing that runs is ever without somebody whom `parley
// down` can ask. Main thread.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agents/host/agents_config.hpp"
#include "services/cli/environment.hpp"

namespace parley::cli {

struct UpOptions {
  /// Unset: the built-in help desk.
  std::optional<std::string> file;
  std::vector<std::string> models;  ///< of `--model`
  std::filesystem::path run_directory;
  bool has_own_run_directory = false;  ///< given by the user: the broker's socket goes there, too
  bool is_verbose = false;
};

/// Where the budgets of a suite are kept: in a run directory that the user has chosen, else where all runs of the file
/// keep them (ledger_folder_of()). Fails like that.
[[nodiscard]] Result<std::filesystem::path> ledger_folder_for(const UpOptions& options, const host::SuiteConfig& suite);

/// Runs the suite until Ctrl-C, SIGTERM or `parley down`. `on_up` is called once when everything is ready.
int run_suite(const Environment& environment, const UpOptions& options, const std::function<void()>& on_up);

/// Watches the supervisor of a suite whose watcher was killed, until everything is stopped.
int watch_suite(const Environment& environment, const UpOptions& options);

/// Runs the suite in a process of its own and returns when everything is ready or has failed.
int run_suite_detached(const Environment& environment, const UpOptions& options);

}  // namespace parley::cli
