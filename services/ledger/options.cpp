#include "services/ledger/options.hpp"

#include <CLI/CLI.hpp>
#include <optional>
#include <utility>

#include "libmsg/net/endpoint.hpp"
#include "services/config/reader.hpp"

namespace parley::ledger {
namespace {

struct Flags {
  std::string config;
  std::string state_dir;
  std::vector<std::string> brokers;
  std::optional<std::chrono::milliseconds> connect_timeout;
  std::optional<std::uint16_t> metrics_port;
  std::string metrics_address = "127.0.0.1";
  bool is_insecure = false;
  monitoring::LogOptions log;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config, "YAML file with a section `budgets`: a suite, an agents file, or its own")
      ->type_name("FILE")
      ->required();
  app.add_option("--state-dir", flags.state_dir, "Folder of the ledger's database; one ledger at a time")
      ->type_name("DIR")
      ->required();
  app.add_option("--broker", flags.brokers, "Endpoint of the broker; one per shard (also PARLEY_BROKER)")
      ->type_name("ENDPOINT")
      ->delimiter(',');
  config::add_connect_timeout(app, flags.connect_timeout);
  app.add_option("--metrics-port", flags.metrics_port, "Serve /metrics, /livez, /readyz; 0 takes a free port")
      ->type_name("PORT");
  app.add_option("--metrics-address", flags.metrics_address, "Where to serve them (default 127.0.0.1)")
      ->type_name("IP");
  app.add_flag("--insecure", flags.is_insecure,
               "Connect, and serve metrics, beyond this machine although nothing is encrypted");
  app.add_option("--log-level", flags.log.level, "error, warn, info (default), debug or off")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"error", "warn", "info", "debug", "off"}));
  app.add_option("--log-format", flags.log.format, "text (default) or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  app.set_version_flag("--version", "parley-ledger " PARLEY_VERSION);
  app.footer(
      "Example: parley-ledger --config parley.yaml --state-dir /var/lib/parley/ledger\n"
      "'parley up' starts it for a suite with budgets. When it is connected it prints one JSON line:\n"
      "{\"event\":\"ready\",\"name\":\"ledger\",\"metrics_port\":…}");
}

void read_broker(config::ConfigReader& root, LedgerFile& file, bool is_own_file) {
  if (root.is_text("broker")) {
    file.broker = root.required_text("broker");
    return;
  }
  std::optional<config::ConfigReader> broker = root.child("broker");
  if (!broker) return;
  file.broker = broker->optional_text("endpoint");
  file.is_insecure_allowed = broker->flag("insecure", false);
  if (is_own_file) broker->reject_unknown_keys();
}

}  // namespace

config::Loaded<LedgerFile> read_ledger_file(const config::YamlDocument& document) {
  config::ConfigProblems problems;
  config::ConfigReader root(document, problems);
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  // The rest of a suite is for those whom it concerns, and checked there.
  const bool is_own_file = !root.has("workers") && !root.has("agents");
  LedgerFile file;
  read_broker(root, file, is_own_file);
  std::optional<config::ConfigReader> budgets = root.child("budgets");
  if (budgets) {
    file.budgets = budget::read_budgets(*budgets, std::filesystem::path(document.file).parent_path());
  } else if (!root.has("budgets")) {
    root.reject("budgets", "expected a map with limits, and the key is missing");
  }
  if (is_own_file) root.reject_unknown_keys();
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  return file;
}

std::expected<LedgerOptions, config::EarlyExit> read_options(int argc, const char* const* argv) {
  CLI::App app("Keeps the budgets of a fleet: no model call without its word.", "parley-ledger");
  Flags flags;
  declare(app, flags);
  if (const auto parsed = config::parse_command_line(app, argc, argv); !parsed) return std::unexpected(parsed.error());
  const config::Loaded<config::YamlDocument> document = config::load_yaml(flags.config);
  if (!document) return config::wrong_usage(document.error().str());
  config::Loaded<LedgerFile> file = read_ledger_file(*document);
  if (!file) return config::wrong_usage(file.error().str());
  LedgerOptions options;
  if (file->budgets.prices) {
    config::Loaded<PriceTable> prices = load_prices(*file->budgets.prices);
    if (!prices) return config::wrong_usage(prices.error().str());
    options.prices = std::move(*prices);
  }
  options.brokers = config::choose_brokers(flags.brokers, file->broker.value_or(net::default_endpoint()));
  options.connect_timeout = flags.connect_timeout;
  options.state_dir = flags.state_dir;
  options.is_insecure_allowed = flags.is_insecure || file->is_insecure_allowed;
  options.metrics_address = flags.metrics_address;
  options.metrics_port = flags.metrics_port.value_or(file->budgets.metrics_port.value_or(0));
  options.log = flags.log;
  options.budgets = std::move(file->budgets);
  return options;
}

}  // namespace parley::ledger
