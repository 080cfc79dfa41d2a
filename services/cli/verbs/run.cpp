// parley run FILE TASK: gives a task to the team of a file and shows how it is done.
#include <memory>
#include <unistd.h>

#include "services/cli/exit_code.hpp"
#include "services/cli/line_source.hpp"
#include "services/cli/suite/suite_source.hpp"
#include "services/cli/team_run.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace run_verb {

constexpr std::string_view kNoTranscript = "none";
constexpr std::size_t kMaxTaskBytes = std::size_t{1} << 20U;

struct Settings {
  std::string file;
  std::string task;
  std::optional<std::string> agent;
  std::optional<std::string> transcript;
  std::vector<std::string> models;
  std::chrono::milliseconds timeout{30 * 60 * 1000};
  bool is_standalone = false;
};

/// The task, or standard input for `-`.
Result<std::string> read_task(const std::string& text) {
  if (text != "-") return text;
  Result<std::string> all = read_all(STDIN_FILENO, kMaxTaskBytes);
  while (all && all->ends_with('\n')) all->pop_back();
  return all;
}

int run_run(Environment& environment, const Settings& settings) {
  Console& console = environment.console;
  TeamRunOptions options;
  const Result<std::string> task = read_task(settings.task);
  if (!task) return console.fail(task.error());
  if (task->empty()) return console.refuse_usage("the task is empty");
  options.task = *task;
  options.timeout = settings.timeout;
  if (settings.transcript && *settings.transcript != kNoTranscript) {
    options.transcript = *settings.transcript;
    const std::filesystem::path extension = options.transcript->extension();
    if (extension != ".md" && extension != ".json") {
      return console.refuse_usage("--transcript: expected a file that ends with .md or .json, or none");
    }
  }
  options.has_own_transcript = !settings.transcript && console.style().is_err_terminal && !environment.common.is_json;
  const auto suite = load_suite(settings.file, settings.models);
  if (!suite) return console.fail(suite.error().error());
  warn_of_prices(environment, *suite);
  const Result<std::string> agent = choose_agent(*suite, settings.agent);
  if (!agent) return console.refuse_usage(agent.error().message);
  options.agent = *agent;
  return settings.is_standalone ? run_team_here(environment, *suite, options)
                                : run_team_in_processes(environment, *suite, options);
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.argument("FILE", settings->file, "Suite or agents file");
  options.argument("TASK", settings->task, "What is to be done; - reads it from standard input");
  options.option("--agent", settings->agent, "TYPE", "Who gets the task (default: the team of the file)");
  options.option("--model", settings->models, "NAME=MODEL",
                 "Another model than the file's, as often as needed: NAME=PROVIDER:MODEL or NAME={settings}; * is all");
  options.option("--transcript", settings->transcript, "FILE",
                 "Write the conversation to FILE.md or FILE.json; none for no file (default: on a terminal, "
                 "parley-run-TIME.md here)");
  options.duration("--timeout", settings->timeout, "How long it may take (default: 30m)");
  options.flag("--standalone", settings->is_standalone, "All agents in this process, without a broker");
  return [settings](Environment& environment) { return run_run(environment, *settings); };
}

}  // namespace run_verb
}  // namespace

const Verb kRunVerb{"run", "Give a task to a team of agents and watch them work",
                    "  parley run agents/examples/poem_review/parley.yaml 'a poem about the sea'\n"
                    "  parley run team.yaml 'a poem' --model '*=openai:gpt-4o-mini'\n"
                    "  parley run team.yaml 'find the bug' --transcript talk.md > answer.txt",
                    Reach::local, &run_verb::declare};

}  // namespace parley::cli
