// The configuration files of workers and suites, checked as a whole (agents/README.md §Configuration describes every
// key). Used by parley-agent, `parley up`, `parley up --standalone` and `parley config validate`.
// Values; any thread.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/budget/budgets_config.hpp"
#include "agents/host/model_override.hpp"
#include "agents/host/tool_config.hpp"
#include "agents/kinds/kind.hpp"
#include "agents/llm/chat_model.hpp"
#include "agents/llm/model_observer.hpp"
#include "agents/llm/model_price.hpp"
#include "agents/llm/output_tokens.hpp"
#include "agents/telemetry/otlp_settings.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "services/config/problems.hpp"

namespace parley::http {
class CurlMulti;
}

namespace parley::host {

/// What models share. All must outlive them, except `curl`, which is made by the first model that needs it.
struct ModelServices {
  asio::io_context& io;
  const Clock& clock;
  Random& random;
  std::shared_ptr<http::CurlMulti> curl = nullptr;  ///< shared: one connection pool for all models of the loop
  /// Told what a model's guards do, by the model's name in the configuration. Empty: nobody counts.
  std::function<std::shared_ptr<llm::ModelObserver>(const std::string& model)> observer = {};
};

/// Whom a fallback asks: names of models of the same configuration.
struct ModelChains {
  std::vector<std::string> members;
  std::vector<std::string> for_context_window;
  std::vector<std::string> for_content_policy;
};

/// One entry of `models:`, checked and ready to be made.
struct ModelConfig {
  std::string provider;
  std::string model;  ///< as the provider names it
  /// Unset: its tokens are counted, but nobody knows what they cost.
  std::optional<llm::ModelPrice> price;
  /// What it asks its provider for beside what an agent asks of it.
  llm::OutputTokens output = {};
  /// Fails with `bad_configuration` when something outside the file is missing, such as the key in the environment.
  /// Empty for a fallback, whose members are made instead.
  std::function<Result<std::shared_ptr<llm::ChatModel>>(ModelServices& services)> make = {};
  /// Of `provider: fallback`: whom it asks, and what puts its guards around an agent type's chain. `name` is for
  /// messages and counts.
  ModelChains chains = {};
  std::function<std::shared_ptr<llm::ChatModel>(std::shared_ptr<llm::ChatModel> chain, const std::string& name,
                                                ModelServices& services)>
      guard = {};
  int line = 0;  ///< of the entry, for messages
};

/// One entry of `agents:`.
struct AgentConfig {
  std::string type;
  std::string kind;
  TypeOptions options;
  std::vector<TopicFilter> subscriptions;
  std::vector<std::string> models;  ///< that it uses
  std::vector<std::string> tools;   ///< likewise; `files.read` for one of a toolset
  bool is_team = false;
  bool has_money_limit = false;      ///< of a team: it ends when some money was spent
  std::vector<std::string> members;  ///< agent types of a team's members
  /// See kinds::KindNames.
  std::vector<std::function<Result<>()>> checks;
  kinds::MakeFactory make_factory;
};

/// One worker process: an agents file, or one worker of a suite file.
struct AgentsConfig {
  std::filesystem::path file;
  /// For people, in `parley ps`.
  std::string name;
  /// Endpoint; the command line and PARLEY_BROKER win over it.
  std::optional<std::string> broker;
  int broker_line = 0;  ///< of `broker`, for messages
  /// Allows a broker beyond loopback and ipc although nothing is encrypted.
  bool is_insecure_allowed = false;
  /// Port of the health page; unset: choose one.
  std::optional<std::uint16_t> metrics_port;
  /// A worker that uses more is unhealthy; 0: no limit.
  std::uint64_t memory_limit_bytes = 0;
  HostLimits limits;
  telemetry::TelemetrySettings telemetry;
  std::map<std::string, ModelConfig> models;
  std::map<std::string, ToolConfig> tools;
  ToolAuditConfig tool_audit;
  std::vector<AgentConfig> agents;
  /// Every model call asks the ledger first; unset: nobody is asked.
  std::optional<budget::BudgetsConfig> budgets;
};

/// The `broker:` map of a suite.
struct BrokerConfig {
  /// Unset: `parley up` makes an ipc endpoint of its own.
  std::optional<std::string> endpoint;
  int line = 0;  ///< of the endpoint, for messages
  std::optional<std::uint16_t> metrics_port;
  /// Allows an endpoint beyond loopback and ipc although nothing is encrypted.
  bool is_insecure_allowed = false;
};

/// The `supervisor:` map of a suite: how its processes are healed. The defaults are those of the supervisor's policy.
struct SupervisionConfig {
  bool is_rest_for_one = false;
  std::uint32_t max_crashes = 5;
  std::chrono::milliseconds crash_window{5 * 60 * 1000};
  std::chrono::milliseconds probe_after{15 * 60 * 1000};
  std::chrono::milliseconds healthy_reset{10 * 60 * 1000};
  std::chrono::milliseconds start_timeout{30 * 1000};
  std::uint32_t max_simultaneous = 4;
};

/// One entry of `workers:`, in the order in which they are to be started.
struct SuiteWorker {
  AgentsConfig config;
  /// What parley-agent needs to host exactly this worker: `--config FILE [--worker NAME]`.
  std::vector<std::string> arguments;
};

/// A suite file: broker and workers of one machine.
struct SuiteConfig {
  std::filesystem::path file;
  BrokerConfig broker;
  SupervisionConfig supervision;
  /// Of all workers; a ledger runs beside them.
  std::optional<budget::BudgetsConfig> budgets;
  /// Of the command line: in place already, and among the arguments of the workers.
  std::vector<ModelOverride> model_overrides;
  std::vector<SuiteWorker> workers;
};

/// Reads an agents file, or (with `worker`) one worker of a suite file.
[[nodiscard]] config::Loaded<AgentsConfig> load_agents(const std::filesystem::path& file,
                                                       const std::optional<std::string>& worker = std::nullopt,
                                                       const std::vector<ModelOverride>& overrides = {});
/// Reads a suite file and the agents files that it names. An agents file counts as a suite of one worker. Overrides of
/// models that are nowhere are problems.
[[nodiscard]] config::Loaded<SuiteConfig> load_suite(const std::filesystem::path& file,
                                                     const std::vector<ModelOverride>& overrides = {});

/// What is wrong with the suite's own broker endpoint when nobody allows it to reach beyond this machine.
[[nodiscard]] config::ConfigProblems check_reach(const SuiteConfig& suite);

/// The `budgets:` of any of these files; unset when it has none.
[[nodiscard]] config::Loaded<std::optional<budget::BudgetsConfig>> load_budgets(const std::filesystem::path& file);

/// The same from a parsed document (tests, fuzzing); other files are looked for beside `document.file`.
[[nodiscard]] config::Loaded<AgentsConfig> read_agents(const config::YamlDocument& document);
[[nodiscard]] config::Loaded<SuiteConfig> read_suite(const config::YamlDocument& document,
                                                     const std::vector<ModelOverride>& overrides = {});

}  // namespace parley::host
