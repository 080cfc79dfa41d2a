// The options that every Parley process understands, and how each of them treats a wrong command line.
// Main thread, before anything else runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "services/config/logging.hpp"

namespace CLI {
class App;
}

namespace parley::config {

struct DaemonOptions {
  /// For people, in `parley ps` and in the log; empty: the program chooses.
  std::string name;
  LogOptions log;
  /// Port of /metrics, /livez and /readyz on 127.0.0.1. 0: choose one; the ready line tells which. Unset: not given.
  std::optional<std::uint16_t> metrics_port;
  /// Allows to bind or connect beyond loopback and ipc although nothing is encrypted.
  bool is_insecure_allowed = false;
};

/// Adds `--name`, `--log-level`, `--log-format`, `--metrics-port`, `--insecure` and `--version`. `options` must outlive
/// the parsing.
void add_daemon_options(CLI::App& app, DaemonOptions& options);

/// Parses. nullopt: go on. Otherwise the process ends with this code: 0 after --help or --version, 2 for a wrong command
/// line, which is told in one line on standard error.
[[nodiscard]] std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv);

}  // namespace parley::config
