// How a program's command line ends the program before anything runs: help, the version, or what is wrong with it. The
// flags themselves are each program's own. Main thread, at start.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace parley::config {

/// The process ends here: with help or the version (status 0), or with what is wrong (status 2).
struct EarlyExit {
  int status = 0;
  std::string text;  ///< without the last newline
};

/// What is wrong with flags or configuration, as it is shown.
[[nodiscard]] std::unexpected<EarlyExit> wrong_usage(std::string text);

/// Fills the variables that the flags of `app` are bound to; the text names the program's `--help` when it cannot.
[[nodiscard]] std::expected<void, EarlyExit> parse_command_line(CLI::App& app, int argc, const char* const* argv);

/// Help and the version go to standard output, all else to standard error; the exit status.
[[nodiscard]] int end_early(const EarlyExit& exit);

/// A flag that takes a duration between `shortest` and `longest`.
struct DurationFlag {
  std::string name;
  std::string help;
  std::chrono::milliseconds shortest{0};
  std::chrono::milliseconds longest = std::chrono::hours(1);
};
/// `target` is borrowed until the command line has been parsed.
void add_duration_flag(CLI::App& app, const DurationFlag& flag, std::optional<std::chrono::milliseconds>& target);
/// `--connect-timeout` of the processes that wait for a broker.
void add_connect_timeout(CLI::App& app, std::optional<std::chrono::milliseconds>& target);

/// One endpoint per shard: the flag wins over PARLEY_BROKER (a list with commas), that over `otherwise`.
[[nodiscard]] std::vector<std::string> choose_brokers(const std::vector<std::string>& flags, std::string otherwise);

}  // namespace parley::config
