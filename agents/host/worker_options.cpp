#include "agents/host/worker_options.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

#include "libmsg/core/duration.hpp"
#include "libmsg/net/endpoint.hpp"

namespace parley::host {
namespace {

constexpr std::chrono::hours kLongestDrain{1};

/// What the command line said; the file's values lie below it.
struct Flags {
  std::string config;
  std::optional<std::string> worker;
  std::optional<std::string> budgets;
  std::optional<std::string> name;
  std::vector<std::string> brokers;
  std::optional<std::uint16_t> metrics_port;
  std::string metrics_address = "127.0.0.1";
  bool is_insecure = false;
  std::optional<std::string> drain_timeout;
  monitoring::LogOptions log;
};

std::string kinds_text() {
  std::string text = "Kinds of agents:\n";
  for (const kinds::Kind& kind : kinds::all_kinds()) {
    text += "  " + std::string(kind.name) + ": " + std::string(kind.summary) + "\n";
  }
  return text +
         "\nExample: parley-agent --config agents/examples/helpdesk/parley.yaml --worker hr\n"
         "When it is connected it prints one JSON line: {\"event\":\"ready\",\"name\":…,\"metrics_port\":…}";
}

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config, "YAML file that names the agents")->type_name("FILE")->required();
  app.add_option("--worker", flags.worker, "The file is a suite; host this worker of it")->type_name("NAME");
  app.add_option("--budgets", flags.budgets, "File whose `budgets` count for this worker (its own otherwise)")
      ->type_name("FILE");
  app.add_option("--broker", flags.brokers, "Endpoint of the broker; one per shard (also PARLEY_BROKER)")
      ->type_name("ENDPOINT")
      ->delimiter(',');
  app.add_option("--name", flags.name, "Name in `parley ps` and in the log")->type_name("NAME");
  app.add_option("--metrics-port", flags.metrics_port, "Serve /metrics, /livez, /readyz; 0 takes a free port")
      ->type_name("PORT");
  app.add_option("--metrics-address", flags.metrics_address, "Where to serve them (default 127.0.0.1)")
      ->type_name("IP");
  app.add_flag("--insecure", flags.is_insecure, "Connect beyond this machine although nothing is encrypted");
  app.add_option("--drain-timeout", flags.drain_timeout, "How long a stop waits for turns under way (default 20s)")
      ->type_name("TIME");
  app.add_option("--log-level", flags.log.level, "error, warn, info (default), debug or off")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"error", "warn", "info", "debug", "off"}));
  app.add_option("--log-format", flags.log.format, "text (default) or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  app.set_version_flag("--version", "parley-agent " PARLEY_VERSION);
  app.footer(kinds_text());
}

std::vector<std::string> choose_brokers(const Flags& flags, const AgentsConfig& config) {
  if (!flags.brokers.empty()) return flags.brokers;
  const char* variable = std::getenv("PARLEY_BROKER");
  if (variable != nullptr && *variable != '\0') return CLI::detail::split(variable, ',');
  return {config.broker.value_or(net::default_endpoint())};
}

}  // namespace

std::expected<WorkerOptions, EarlyExit> read_worker_options(int argc, const char* const* argv) {
  CLI::App app("Hosts the agents that a YAML file names, connected to a Parley broker.", "parley-agent");
  Flags flags;
  declare(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      return std::unexpected(EarlyExit{2, std::string("error: ") + error.what() + " (see parley-agent --help)"});
    }
    std::ostringstream text;
    app.exit(error, text, text);
    std::string out = text.str();
    while (out.ends_with('\n')) out.pop_back();
    return std::unexpected(EarlyExit{0, std::move(out)});
  }
  config::Loaded<AgentsConfig> config = load_agents(flags.config, flags.worker);
  if (!config) return std::unexpected(EarlyExit{config::kBadConfigurationExit, config.error().str()});
  WorkerOptions options;
  options.config = std::move(*config);
  if (flags.budgets) {
    auto budgets = load_budgets(*flags.budgets);
    if (!budgets) return std::unexpected(EarlyExit{config::kBadConfigurationExit, budgets.error().str()});
    options.config.budgets = std::move(*budgets);
  }
  if (flags.name) options.config.name = *flags.name;
  options.brokers = choose_brokers(flags, options.config);
  options.metrics_address = flags.metrics_address;
  options.metrics_port = flags.metrics_port.value_or(options.config.metrics_port.value_or(0));
  options.is_insecure_allowed = flags.is_insecure || options.config.is_insecure_allowed;
  options.log = flags.log;
  if (flags.drain_timeout) {
    const auto timeout = parse_duration(*flags.drain_timeout);
    if (!timeout || *timeout > kLongestDrain) {
      return std::unexpected(EarlyExit{config::kBadConfigurationExit,
                                       "error: --drain-timeout: '" + *flags.drain_timeout +
                                           "': expected a duration from 0ms to 1h, such as 250ms, 5s or 2m"});
    }
    options.drain_timeout = *timeout;
  }
  return options;
}

}  // namespace parley::host
