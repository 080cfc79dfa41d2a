#include "agents/host/agents_config.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "agents/host/agent_list_config.hpp"
#include "agents/host/model_config.hpp"
#include "agents/host/telemetry_config.hpp"
#include "libmsg/net/endpoint.hpp"
#include "services/config/reader.hpp"

namespace parley::host {
namespace {

using config::ConfigProblems;
using config::ConfigReader;
using config::Loaded;
using config::YamlDocument;

constexpr std::size_t kMaxWorkers = 200;
constexpr config::Range<std::uint64_t> kSizes{1024, std::uint64_t{1} << 50U};

std::optional<std::uint16_t> read_port(ConfigReader& reader) {
  if (!reader.has("metrics_port")) return std::nullopt;
  return static_cast<std::uint16_t>(reader.integer("metrics_port", 0, {0, 65535}));
}

/// What one worker may use and keep.
void read_limits(ConfigReader& reader, AgentsConfig& config) {
  constexpr std::uint64_t kMost = 100'000'000;
  HostLimits& limits = config.limits;
  config.memory_limit_bytes = reader.size("memory_limit", 0, kSizes);
  const auto count = [&](std::string_view key, std::size_t fallback) {
    return static_cast<std::size_t>(reader.integer(key, std::uint64_t{fallback}, {1, kMost}));
  };
  limits.max_activations = count("max_activations", limits.max_activations);
  limits.max_saved_states = count("max_saved_states", limits.max_saved_states);
  limits.max_saved_bytes = reader.size("max_saved_state_bytes", limits.max_saved_bytes, kSizes);
}

/// The reason alone: the endpoint itself is shown beside it.
std::string why_not(const Error& error) {
  constexpr std::string_view kEndOfEndpoint = "': ";
  const std::size_t end = error.message.find(kEndOfEndpoint);
  return end == std::string::npos ? error.message : error.message.substr(end + kEndOfEndpoint.size());
}

/// How far it may reach is judged later, because the command line has a word in it.
void read_endpoint(ConfigReader& reader, std::string_view key, BrokerConfig& broker) {
  broker.endpoint = reader.required_text(key);
  if (broker.endpoint->empty()) return;
  broker.line = reader.value(key)->line;
  const Result<net::Endpoint> endpoint = net::parse_endpoint(*broker.endpoint, net::Reach::anywhere);
  if (!endpoint) reader.reject(key, why_not(endpoint.error()));
}

/// `broker: ENDPOINT`, or a map with the endpoint and more.
BrokerConfig read_broker(ConfigReader& root) {
  BrokerConfig broker;
  if (root.is_text("broker")) {
    read_endpoint(root, "broker", broker);
    return broker;
  }
  std::optional<ConfigReader> reader = root.child("broker");
  if (!reader) return broker;
  if (reader->has("endpoint")) read_endpoint(*reader, "endpoint", broker);
  broker.is_insecure_allowed = reader->flag("insecure", false);
  broker.metrics_port = read_port(*reader);
  reader->reject_unknown_keys();
  return broker;
}

std::optional<budget::BudgetsConfig> read_budget_section(ConfigReader& root, const std::filesystem::path& file) {
  std::optional<ConfigReader> reader = root.child("budgets");
  if (!reader) return std::nullopt;
  return budget::read_budgets(*reader, file.parent_path());
}

/// Adds the entries of `models:` to those that are there already.
void read_models(ConfigReader& reader, std::map<std::string, ModelConfig>& models) {
  for (auto& [name, settings] : reader.named_children("models")) {
    if (!is_valid_agent_type(name)) settings.reject("expected a name of letters, digits and _ . -");
    ModelConfig model = read_model(name, settings);
    model.line = settings.line();
    const bool is_new = models.try_emplace(name, std::move(model)).second;
    if (!is_new) settings.reject("expected a name that no shared model of the suite has");
  }
  check_chains(reader, models);
}

AgentsConfig read_agents_root(ConfigReader& root, const YamlDocument& document) {
  AgentsConfig config;
  config.file = document.file;
  config.name = root.text("name", config.file.stem().string());
  BrokerConfig broker = read_broker(root);
  config.broker = std::move(broker.endpoint);
  config.broker_line = broker.line;
  config.is_insecure_allowed = broker.is_insecure_allowed;
  config.metrics_port = read_port(root);
  read_limits(root, config);
  config.telemetry = read_telemetry(root);
  config.budgets = read_budget_section(root, document.file);
  read_models(root, config.models);
  read_tools(root, config.tools);
  config.tool_audit = read_tool_audit(root);
  config.agents = read_agent_list(root, config);
  root.reject_unknown_keys();
  return config;
}

/// A worker whose agents stand in a file of their own.
AgentsConfig read_worker_file(ConfigReader& entry, const SuiteConfig& suite, const std::string& name) {
  const std::string text = entry.required_text("config");
  if (text.empty()) return {};
  const std::filesystem::path file = suite.file.parent_path() / text;
  Loaded<AgentsConfig> loaded = load_agents(file, std::nullopt, suite.model_overrides);
  if (!loaded) {
    entry.problems().append(loaded.error());
    return {};
  }
  if (!name.empty()) loaded->name = name;
  return std::move(*loaded);
}

/// `shared`: what all workers of the suite have.
SuiteWorker read_worker(ConfigReader& entry, const SuiteConfig& suite, const AgentsConfig& shared) {
  SuiteWorker worker;
  const std::string name = entry.required_text("name");
  if (!name.empty() && !is_valid_agent_type(name)) entry.reject("name", "expected letters, digits and _ . -");
  if (entry.has("config")) {
    worker.config = read_worker_file(entry, suite, name);
    worker.arguments = {"--config", worker.config.file.string(), "--name", name};
    if (suite.budgets) {
      if (worker.config.budgets) entry.reject("config", "expected a file without `budgets`: those of the suite count");
      worker.config.budgets = suite.budgets;
      worker.arguments.insert(worker.arguments.end(), {"--budgets", suite.file.string()});
    } else if (worker.config.budgets) {
      entry.reject("config", "expected a file without `budgets`: they stand in the suite, for all workers");
    }
    entry.reject_unknown_keys();
    return worker;
  }
  worker.config.file = suite.file;
  worker.config.name = name;
  worker.config.metrics_port = read_port(entry);
  read_limits(entry, worker.config);
  worker.config.models = shared.models;
  worker.config.tools = shared.tools;
  worker.config.tool_audit = shared.tool_audit;
  worker.config.telemetry = shared.telemetry;
  worker.config.budgets = suite.budgets;
  read_models(entry, worker.config.models);
  read_tools(entry, worker.config.tools);
  worker.config.agents = read_agent_list(entry, worker.config);
  worker.arguments = {"--config", suite.file.string(), "--worker", name};
  entry.reject_unknown_keys();
  return worker;
}

SupervisionConfig read_supervision(ConfigReader& root) {
  SupervisionConfig supervision;
  std::optional<ConfigReader> reader = root.child("supervisor");
  if (!reader) return supervision;
  using std::chrono::milliseconds;
  constexpr milliseconds kDay{24 * 3600 * 1000};
  constexpr std::array<std::string_view, 2> kStrategies{"one_for_one", "rest_for_one"};
  supervision.is_rest_for_one = reader->choice("strategy", kStrategies, 0) == 1;
  supervision.max_crashes =
      static_cast<std::uint32_t>(reader->integer("max_crashes", supervision.max_crashes, {0, 1'000'000}));
  supervision.crash_window = reader->duration("crash_window", supervision.crash_window, {milliseconds(1), kDay});
  supervision.probe_after = reader->duration("probe_after", supervision.probe_after, {milliseconds(1), kDay});
  supervision.healthy_reset = reader->duration("healthy_reset", supervision.healthy_reset, {milliseconds(1), kDay});
  supervision.start_timeout = reader->duration("start_timeout", supervision.start_timeout, {milliseconds(100), kDay});
  supervision.max_simultaneous =
      static_cast<std::uint32_t>(reader->integer("max_simultaneous", supervision.max_simultaneous, {1, 1000}));
  reader->reject_unknown_keys();
  return supervision;
}

void pass_on(const std::vector<ModelOverride>& overrides, std::vector<std::string>& arguments) {
  for (const ModelOverride& each : overrides) arguments.insert(arguments.end(), {"--model", each.text});
}

SuiteConfig read_suite_root(ConfigReader& root, const YamlDocument& document,
                            const std::vector<ModelOverride>& overrides) {
  SuiteConfig suite;
  suite.file = document.file;
  suite.model_overrides = overrides;
  suite.broker = read_broker(root);
  suite.supervision = read_supervision(root);
  suite.budgets = read_budget_section(root, document.file);
  AgentsConfig shared;
  shared.telemetry = read_telemetry(root);
  read_models(root, shared.models);
  read_tools(root, shared.tools);
  shared.tool_audit = read_tool_audit(root);
  std::vector<ConfigReader> entries = root.children("workers");
  if (entries.empty()) root.reject("workers", "expected a list with at least one worker");
  if (entries.size() > kMaxWorkers) {
    root.reject("workers", "expected at most " + std::to_string(kMaxWorkers) + " workers");
    return suite;
  }
  std::set<std::string> names;
  for (ConfigReader& entry : entries) {
    SuiteWorker worker = read_worker(entry, suite, shared);
    const std::string& name = worker.config.name;
    if (!name.empty() && !names.insert(name).second) entry.reject("name", "expected each worker name once");
    // The suite's own processes and logs have these.
    if (name == "broker" || name == "supervisor" || name == "up" || name == "ledger")
      entry.reject("name", "expected a name that is free");
    if (suite.broker.endpoint) worker.config.broker = suite.broker.endpoint;
    worker.config.is_insecure_allowed |= suite.broker.is_insecure_allowed;
    pass_on(overrides, worker.arguments);
    suite.workers.push_back(std::move(worker));
  }
  root.reject_unknown_keys();
  return suite;
}

ConfigProblems unknown_worker(const SuiteConfig& suite, const std::string& name) {
  std::vector<std::string> names;
  names.reserve(suite.workers.size());
  for (const SuiteWorker& worker : suite.workers) names.push_back(worker.config.name);
  std::string expected = "no worker has this name; there are";
  for (const std::string& each : names) expected += (&each == &names.front() ? " " : ", ") + each;
  ConfigProblems problems;
  problems.add({suite.file.string(), 0, "workers", name, std::move(expected)});
  return problems;
}

std::set<std::string> model_names(const SuiteConfig& suite) {
  std::set<std::string> names;
  for (const SuiteWorker& worker : suite.workers) {
    for (const auto& [name, model] : worker.config.models) names.insert(name);
  }
  return names;
}

}  // namespace

Loaded<AgentsConfig> read_agents(const YamlDocument& document) {
  ConfigProblems problems;
  ConfigReader root(document, problems);
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  if (root.has("workers") && !root.has("agents")) {
    root.reject("workers", "expected an agents file, and this is a suite: name one of its workers with --worker");
    return std::unexpected(std::move(problems));
  }
  ConfigReader fresh(document, problems);  // knows no key yet, so that `workers` beside `agents` is an unknown one
  AgentsConfig config = read_agents_root(fresh, document);
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  return config;
}

Loaded<SuiteConfig> read_suite(const YamlDocument& document, const std::vector<ModelOverride>& overrides) {
  ConfigProblems problems;
  ConfigReader probe(document, problems);
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  if (probe.has("agents") && !probe.has("workers")) {
    Loaded<AgentsConfig> agents = read_agents(document);
    if (!agents) return std::unexpected(std::move(agents).error());
    SuiteConfig suite;
    suite.file = agents->file;
    suite.broker.endpoint = agents->broker;
    suite.broker.line = agents->broker_line;
    suite.broker.is_insecure_allowed = agents->is_insecure_allowed;
    suite.budgets = agents->budgets;
    suite.model_overrides = overrides;
    suite.workers.push_back({std::move(*agents), {"--config", suite.file.string()}});
    pass_on(overrides, suite.workers.back().arguments);
    return suite;
  }
  ConfigReader root(document, problems);
  SuiteConfig suite = read_suite_root(root, document, overrides);
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  return suite;
}

Loaded<AgentsConfig> load_agents(const std::filesystem::path& file, const std::optional<std::string>& worker,
                                 const std::vector<ModelOverride>& overrides) {
  Loaded<YamlDocument> document = config::load_yaml(file);
  if (!document) return std::unexpected(std::move(document).error());
  override_models(*document, overrides);
  if (!worker) return read_agents(*document);
  Loaded<SuiteConfig> suite = read_suite(*document, overrides);
  if (!suite) return std::unexpected(std::move(suite).error());
  const auto found =
      std::ranges::find(suite->workers, *worker, [](const SuiteWorker& each) { return each.config.name; });
  if (found == suite->workers.end()) return std::unexpected(unknown_worker(*suite, *worker));
  return std::move(found->config);
}

Loaded<SuiteConfig> load_suite(const std::filesystem::path& file, const std::vector<ModelOverride>& overrides) {
  Loaded<YamlDocument> document = config::load_yaml(file);
  if (!document) return std::unexpected(std::move(document).error());
  override_models(*document, overrides);
  Loaded<SuiteConfig> suite = read_suite(*document, overrides);
  if (!suite) return suite;
  ConfigProblems problems = unknown_overrides(overrides, model_names(*suite), file.string());
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  return suite;
}

ConfigProblems check_reach(const SuiteConfig& suite) {
  ConfigProblems problems;
  if (!suite.broker.endpoint || suite.broker.is_insecure_allowed) return problems;
  const Result<net::Endpoint> endpoint = net::parse_endpoint(*suite.broker.endpoint, net::Reach::this_machine);
  if (endpoint) return problems;
  problems.add({suite.file.string(), suite.broker.line, "broker", *suite.broker.endpoint,
                why_not(endpoint.error()) + " (in the file: broker: {endpoint: …, insecure: true})"});
  return problems;
}

Loaded<std::optional<budget::BudgetsConfig>> load_budgets(const std::filesystem::path& file) {
  Loaded<YamlDocument> document = config::load_yaml(file);
  if (!document) return std::unexpected(std::move(document).error());
  ConfigProblems problems;
  ConfigReader root(*document, problems);
  std::optional<budget::BudgetsConfig> budgets;
  if (problems.is_empty()) budgets = read_budget_section(root, file);
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  return budgets;
}

}  // namespace parley::host
