// parley up: the whole suite on this machine.
#include <memory>
#include <unistd.h>

#include "services/cli/exit_code.hpp"
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/suite/standalone.hpp"
#include "services/cli/suite/suite_runner.hpp"
#include "services/cli/suite/suite_source.hpp"
#include "services/cli/team_run.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace up_verb {

struct Settings {
  std::optional<std::string> file;
  std::optional<std::string> run_directory;
  std::vector<std::string> models;
  bool is_detached = false;
  bool is_guard = false;
  bool is_standalone = false;
  std::optional<std::string> chat;  ///< whom to talk to; empty: whoever is there
  bool is_verbose = false;
};

/// On a terminal the chat begins by itself when it is clear with whom.
int run_here(const Environment& environment, const Settings& settings, const host::SuiteConfig& suite,
             const std::filesystem::path& run_directory) {
  if (!settings.chat && ::isatty(STDIN_FILENO) != 1) {
    return run_standalone(environment, suite, run_directory, std::nullopt);
  }
  const bool is_named = settings.chat && !settings.chat->empty();
  const Result<AgentId> agent = choose_chat_agent(suite, is_named ? settings.chat : std::nullopt, "standalone");
  if (agent) return run_standalone(environment, suite, run_directory, *agent);
  if (settings.chat) return environment.console.refuse_usage(agent.error().message);
  environment.console.note(agent.error().message);
  return run_standalone(environment, suite, run_directory, std::nullopt);
}

int run_up(Environment& environment, const Settings& settings) {
  if (settings.chat && !settings.is_standalone) {
    return environment.console.refuse_usage("--chat needs --standalone (with processes, use 'parley chat' beside it)");
  }
  if (settings.is_standalone && settings.is_detached) {
    return environment.console.refuse_usage("--standalone runs in the foreground only");
  }
  const auto suite = load_suite(settings.file, settings.models);
  if (!suite) return environment.console.fail(suite.error().error());
  warn_of_prices(environment, *suite);
  UpOptions options;
  options.file = settings.file;
  options.models = settings.models;
  options.has_own_run_directory = settings.run_directory.has_value();
  options.run_directory =
      settings.run_directory ? std::filesystem::path(*settings.run_directory) : default_run_directory();
  if (settings.is_standalone) {
    const Result<std::filesystem::path> ledger_folder = ledger_folder_for(options, *suite);
    if (!ledger_folder) return environment.console.fail(ledger_folder.error());
    return run_here(environment, settings, *suite, *ledger_folder);
  }
  options.is_verbose = settings.is_verbose;
  if (settings.is_guard) return watch_suite(environment, options);
  return settings.is_detached ? run_suite_detached(environment, options) : run_suite(environment, options, [] {});
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.option("-f,--file", settings->file, "FILE", "Suite or agents file (default: the built-in help desk)");
  options.option("--model", settings->models, "NAME=MODEL",
                 "Another model than the file's, as often as needed: NAME=PROVIDER:MODEL or NAME={settings}; * is all");
  options.option("--run-dir", settings->run_directory, "DIR", "Where logs, lock and the broker's socket go");
  options.flag("-d,--detach", settings->is_detached, "Run in the background; 'parley down' stops it");
  options.flag("--guard", settings->is_guard, "Only watch the suite that runs there (what a supervisor starts)");
  options.flag("--standalone", settings->is_standalone, "All agents in this process, without a broker");
  options.option_with_default("--chat", settings->chat, "AGENT",
                              "With --standalone: talk to them here (default: to the user proxy, or the only agent)");
  options.flag("-v,--verbose", settings->is_verbose, "Show the output of every process");
  return [settings](Environment& environment) { return run_up(environment, *settings); };
}

}  // namespace up_verb
}  // namespace

const Verb kUpVerb{"up", "Run a broker and agents on this machine",
                   "  parley up\n"
                   "  parley up -f parley.yaml -d\n"
                   "  parley up --standalone --chat",
                   Reach::bus, &up_verb::declare};

}  // namespace parley::cli
