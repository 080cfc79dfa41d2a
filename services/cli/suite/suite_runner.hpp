// `parley up` with processes: starts broker and workers, watches them, stops them all; in the foreground or detached.
// Main thread.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "agents/host/agents_config.hpp"
#include "services/cli/environment.hpp"

namespace parley::cli {

struct UpOptions {
  /// Unset: the built-in help desk.
  std::optional<std::string> file;
  std::filesystem::path run_directory;
  bool has_own_run_directory = false;  ///< given by the user: the broker's socket goes there, too
  bool is_verbose = false;
};

/// Runs the suite until Ctrl-C, SIGTERM or the end of one of its processes. `on_up` is called once when everything is
/// ready.
int run_suite(const Environment& environment, const UpOptions& options, const std::function<void()>& on_up);

/// Runs the suite in a process of its own and returns when everything is ready or has failed.
int run_suite_detached(const Environment& environment, const UpOptions& options);

}  // namespace parley::cli
