#include "services/supervisor/options.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>

#include "libmsg/core/duration.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/net/endpoint.hpp"

namespace parley::supervisor {
namespace {

/// What the command line said.
struct Flags {
  std::string run_dir;
  bool is_kubernetes = false;
  SupervisorOptions local;
  PodSupervisorOptions pods;
  std::string window = "5m";
  std::string probe_after = "15m";
  bool is_insecure = false;
  monitoring::LogOptions log;
};

void declare_pods(CLI::App& app, Flags& flags) {
  PodSupervisorOptions& pods = flags.pods;
  pods.api.selector = "app.kubernetes.io/part-of=parley,app.kubernetes.io/component=agent";
  app.add_flag("--kubernetes", flags.is_kubernetes,
               "Watch the pods of a namespace, and delete those that are unhealthy");
  const auto add = [&app](const char* name, auto& value, const char* type, const char* help) {
    app.add_option(name, value, help)->type_name(type)->needs("--kubernetes");
  };
  add("--namespace", pods.api.name_space, "NAME", "Where the pods are (default: the supervisor's own)");
  add("--selector", pods.api.selector, "LABELS", "Which pods (default: the agents of Parley)");
  add("--broker", pods.broker, "ENDPOINT", "Endpoint of the broker (also PARLEY_BROKER)");
  add("--node", pods.node, "NAME", "Its name on the bus (default: the namespace)");
  add("--state-file", pods.state_file, "FILE", "Remembers failures for its successor");
  add("--max-deletions", flags.pods.policy.max_crashes, "N", "More than this in --window: quarantine (default 5)");
  add("--window", flags.window, "TIME", "See --max-deletions (default 5m)");
  add("--probe-after", flags.probe_after, "TIME", "When a quarantine ends in a trial (default 15m)");
  add("--max-simultaneous", flags.pods.policy.max_simultaneous, "N", "Pods on their way at the same time (default 4)");
  add("--api-server", pods.api.server, "URL", "Default: the cluster's, from KUBERNETES_SERVICE_HOST and _PORT");
  add("--token-file", pods.api.token_file, "FILE", "Default: the service account's");
  add("--ca-file", pods.api.ca_file, "FILE", "Default: the service account's");
}

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--run-dir", flags.run_dir, "Run directory of a suite, with its suite.json")
      ->type_name("DIR")
      ->excludes("--kubernetes");
  app.add_flag("--stop", flags.local.is_stop_only, "Stop what an earlier supervisor has left running, then end")
      ->needs("--run-dir");
  app.add_option("--metrics-port", flags.local.metrics_port, "Serve /metrics, /livez, /readyz; 0 takes a free port")
      ->type_name("PORT");
  app.add_option("--metrics-address", flags.local.metrics_address, "Where to serve them (default 127.0.0.1)")
      ->type_name("IP");
  app.add_flag("--insecure", flags.is_insecure,
               "Connect, and serve metrics, beyond this machine although nothing is encrypted");
  app.add_option("--log-level", flags.log.level, "error, warn, info (default), debug or off")->type_name("LEVEL");
  app.add_option("--log-format", flags.log.format, "text (default) or json")->type_name("FORMAT");
  app.set_version_flag("--version", "parley-supervisor " PARLEY_VERSION);
  app.footer(
      "Examples:\n  parley-supervisor --run-dir /run/user/1000/parley/up     (usually 'parley up' starts it)\n"
      "  parley-supervisor --kubernetes --insecure                (in a pod whose service account may list, watch and\n"
      "                                                            delete pods)");
}

using Checked = std::expected<void, config::EarlyExit>;

std::unexpected<config::EarlyExit> wrong(const std::string& text) { return config::wrong_usage("error: " + text); }

std::string first_line(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

Checked read_time(const char* flag, const std::string& text, Duration& into) {
  const Result<std::chrono::milliseconds> time = parse_duration(text);
  if (!time || *time <= std::chrono::milliseconds::zero()) {
    return wrong(std::string(flag) + ": '" + text + "': expected a duration such as 30s, 5m or 1h");
  }
  into = *time;
  return {};
}

/// What was not said comes from the pod's surroundings.
Checked complete(PodSupervisorOptions& pods, const Surroundings& surroundings) {
  PodApiOptions& api = pods.api;
  const auto choose = [](std::string& value, const std::string& otherwise) {
    if (value.empty()) value = otherwise;
  };
  const std::string host = surroundings.environment("KUBERNETES_SERVICE_HOST");
  if (api.server.empty() && !host.empty()) {
    const std::string port = surroundings.environment("KUBERNETES_SERVICE_PORT");
    const std::string bracketed = host.contains(':') ? "[" + host + "]" : host;
    api.server = "https://" + bracketed + ":" + (port.empty() ? "443" : port);
    choose(api.token_file, surroundings.account_folder + "/token");
    choose(api.ca_file, surroundings.account_folder + "/ca.crt");
  }
  if (!api.server.starts_with("https://") && !api.server.starts_with("http://")) {
    return wrong("no Kubernetes API: this is no pod, so --api-server has to name one (http://… or https://…)");
  }
  choose(api.name_space, first_line(surroundings.account_folder + "/namespace"));
  if (api.name_space.empty()) return wrong("--namespace is missing");
  choose(pods.node, api.name_space);
  if (!is_valid_agent_key(pods.node)) return wrong("--node: '" + pods.node + "' cannot be a name on the bus");
  choose(pods.broker, surroundings.environment("PARLEY_BROKER"));
  choose(pods.broker, net::default_endpoint());
  return {};
}

}  // namespace

Surroundings real_surroundings() {
  return {.environment = [](const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
  }};
}

std::expected<ProgramOptions, config::EarlyExit> read_options(int argc, const char* const* argv,
                                                              const Surroundings& surroundings) {
  CLI::App app(
      "parley-supervisor: starts, watches and heals the processes that 'parley up' has planned, or the pods "
      "of a namespace.",
      "parley-supervisor");
  Flags flags;
  declare_pods(app, flags);
  declare(app, flags);
  if (const Checked parsed = config::parse_command_line(app, argc, argv); !parsed)
    return std::unexpected(parsed.error());
  if (flags.is_kubernetes) {
    PodSupervisorOptions& pods = flags.pods;
    pods.policy.starter = Starter::platform;
    // The API and the kubelet need a moment; a request to delete is repeated only after this.
    pods.policy.sick_grace = std::chrono::seconds(10);
    Checked checked = read_time("--window", flags.window, pods.policy.crash_window);
    if (checked) checked = read_time("--probe-after", flags.probe_after, pods.policy.probe_after);
    if (checked) checked = complete(pods, surroundings);
    if (!checked) return std::unexpected(checked.error());
    pods.metrics_port = flags.local.metrics_port;
    pods.metrics_address = flags.local.metrics_address;
    pods.is_insecure_allowed = flags.is_insecure;
    return ProgramOptions{std::move(pods), flags.log};
  }
  if (flags.run_dir.empty()) return wrong("either --run-dir or --kubernetes is needed");
  flags.local.folder = std::filesystem::absolute(flags.run_dir);
  flags.local.is_insecure_allowed = flags.is_insecure;
  return ProgramOptions{std::move(flags.local), flags.log};
}

}  // namespace parley::supervisor
