#include "agents/host/worker_options.hpp"

#include <CLI/CLI.hpp>
#include <optional>
#include <utility>

#include "libmsg/net/endpoint.hpp"

namespace parley::host {
namespace {

/// What the command line said; the file's values lie below it.
struct Flags {
  std::string config;
  std::optional<std::string> worker;
  std::optional<std::string> budgets;
  std::vector<std::string> models;
  std::optional<std::string> name;
  std::vector<std::string> brokers;
  std::optional<std::uint16_t> metrics_port;
  std::string metrics_address = "127.0.0.1";
  bool is_insecure = false;
  std::optional<std::chrono::milliseconds> connect_timeout;
  std::optional<std::chrono::milliseconds> drain_timeout;
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
  app.add_option("--model", flags.models,
                 "Another model than the file's: NAME=PROVIDER:MODEL or NAME={settings}; * is all")
      ->type_name("NAME=MODEL")
      ->expected(1)
      ->take_all();
  app.add_option("--broker", flags.brokers, "Endpoint of the broker; one per shard (also PARLEY_BROKER)")
      ->type_name("ENDPOINT")
      ->delimiter(',');
  app.add_option("--name", flags.name, "Name in `parley ps` and in the log")->type_name("NAME");
  app.add_option("--metrics-port", flags.metrics_port, "Serve /metrics, /livez, /readyz; 0 takes a free port")
      ->type_name("PORT");
  app.add_option("--metrics-address", flags.metrics_address, "Where to serve them (default 127.0.0.1)")
      ->type_name("IP");
  app.add_flag("--insecure", flags.is_insecure,
               "Connect, and serve metrics, beyond this machine although nothing is encrypted");
  config::add_connect_timeout(app, flags.connect_timeout);
  config::add_duration_flag(
      app, {.name = "--drain-timeout", .help = "How long a stop waits for turns under way (default 20s)"},
      flags.drain_timeout);
  app.add_option("--log-level", flags.log.level, "error, warn, info (default), debug or off")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"error", "warn", "info", "debug", "off"}));
  app.add_option("--log-format", flags.log.format, "text (default) or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  app.set_version_flag("--version", "parley-agent " PARLEY_VERSION);
  app.footer(kinds_text());
}

}  // namespace

std::expected<WorkerOptions, config::EarlyExit> read_worker_options(int argc, const char* const* argv) {
  CLI::App app("Hosts the agents that a YAML file names, connected to a Parley broker.", "parley-agent");
  Flags flags;
  declare(app, flags);
  if (const auto parsed = config::parse_command_line(app, argc, argv); !parsed) return std::unexpected(parsed.error());
  const auto overrides = read_model_overrides(flags.models);
  if (!overrides) return config::wrong_usage(overrides.error().str());
  config::Loaded<AgentsConfig> agents = load_agents(flags.config, flags.worker, *overrides);
  if (!agents) return config::wrong_usage(agents.error().str());
  WorkerOptions options;
  options.config = std::move(*agents);
  if (flags.budgets) {
    auto budgets = load_budgets(*flags.budgets);
    if (!budgets) return config::wrong_usage(budgets.error().str());
    options.config.budgets = std::move(*budgets);
  }
  if (flags.name) options.config.name = *flags.name;
  options.brokers = config::choose_brokers(flags.brokers, options.config.broker.value_or(net::default_endpoint()));
  options.metrics_address = flags.metrics_address;
  options.metrics_port = flags.metrics_port.value_or(options.config.metrics_port.value_or(0));
  options.is_insecure_allowed = flags.is_insecure || options.config.is_insecure_allowed;
  options.log = flags.log;
  options.connect_timeout = flags.connect_timeout;
  options.drain_timeout = flags.drain_timeout.value_or(options.drain_timeout);
  return options;
}

}  // namespace parley::host
