#include "services/config/daemon_options.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "services/config/problems.hpp"

namespace parley::config {

void add_daemon_options(CLI::App& app, DaemonOptions& options) {
  app.add_option("--name", options.name, "Name for people, in `parley ps` and in the log");
  app.add_option("--log-level", options.log.level, "debug, info, warn, error or off")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--log-format",
         [&options](const std::string& format) { options.log.format = format == "json" ? LogFormat::json : LogFormat::text; },
         "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
  app.add_option("--metrics-port", options.metrics_port,
                 "Port of /metrics, /livez and /readyz on 127.0.0.1; 0 chooses a free one");
  app.add_flag("--insecure", options.is_insecure_allowed,
               "Allow other than loopback and ipc endpoints, although nothing is encrypted");
  app.set_version_flag("--version", std::string(PARLEY_VERSION));
}

std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version print what was asked for
    std::cerr << "error: " << error.what() << " (" << app.get_name() << " --help shows all options)\n";
    return kBadConfigurationExit;
  }
}

}  // namespace parley::config
