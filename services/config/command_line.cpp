#include "services/config/command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <utility>

#include "libmsg/core/duration.hpp"
#include "services/config/problems.hpp"

namespace parley::config {

std::unexpected<EarlyExit> wrong_usage(std::string text) {
  return std::unexpected(EarlyExit{kBadConfigurationExit, std::move(text)});
}

std::expected<void, EarlyExit> parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return {};
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      return wrong_usage(std::string("error: ") + error.what() + " (see " + app.get_name() + " --help)");
    }
    std::ostringstream written;
    app.exit(error, written, written);
    std::string text = written.str();
    while (text.ends_with('\n')) text.pop_back();
    return std::unexpected(EarlyExit{0, std::move(text)});
  }
}

int end_early(const EarlyExit& exit) {
  (exit.status == 0 ? std::cout : std::cerr) << exit.text << '\n';
  return exit.status;
}

void add_duration_flag(CLI::App& app, const DurationFlag& flag, std::optional<std::chrono::milliseconds>& target) {
  const auto take = [flag, &target](const std::string& text) {
    const auto value = parse_duration(text);
    if (!value || *value < flag.shortest || *value > flag.longest) {
      throw CLI::ValidationError(flag.name, "'" + text + "': expected a duration from " +
                                                format_duration(flag.shortest) + " to " +
                                                format_duration(flag.longest) + ", such as 250ms, 5s or 2m");
    }
    target = *value;
  };
  app.add_option_function<std::string>(flag.name, take, flag.help)->type_name("TIME");
}

void add_connect_timeout(CLI::App& app, std::optional<std::chrono::milliseconds>& target) {
  add_duration_flag(app,
                    {.name = "--connect-timeout",
                     .help = "End with status 3 when no broker answers so long after the start (default: wait for one)",
                     .shortest = std::chrono::milliseconds(1)},
                    target);
}

std::vector<std::string> choose_brokers(const std::vector<std::string>& flags, std::string otherwise) {
  if (!flags.empty()) return flags;
  const char* const variable = std::getenv("PARLEY_BROKER");
  if (variable != nullptr && *variable != '\0') return CLI::detail::split(variable, ',');
  return {std::move(otherwise)};
}

}  // namespace parley::config
