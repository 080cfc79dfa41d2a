#include "services/cli/team_run.hpp"

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/this_coro.hpp>
#include <ctime>
#include <fstream>
#include <memory>
#include <set>
#include <spdlog/fmt/fmt.h>

#include "agents/host/deployment.hpp"
#include "agents/host/span_export.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/messages/questions.hpp"
#include "libmsg/runtime/local_runtime.hpp"
#include "libmsg/runtime/worker_runtime.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/chat_link.hpp"
#include "services/cli/conversation_watch.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/suite/ledger_folder.hpp"
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/suite/standalone_ledger.hpp"
#include "services/cli/suite/suite_plan.hpp"
#include "services/cli/suite/supervised_suite.hpp"
#include "services/cli/suite/temporary_folder.hpp"
#include "services/cli/trace_context.hpp"

namespace parley::cli {
namespace {

constexpr std::chrono::milliseconds kRunGrace{500};
constexpr int kTmYearZero = 1900;

std::vector<const host::AgentConfig*> agents_of(const host::SuiteConfig& suite) {
  std::vector<const host::AgentConfig*> agents;
  for (const host::SuiteWorker& worker : suite.workers) {
    for (const host::AgentConfig& agent : worker.config.agents) agents.push_back(&agent);
  }
  return agents;
}

bool has_questions(const host::SuiteConfig& suite) {
  return std::ranges::any_of(agents_of(suite),
                             [](const auto* agent) { return agent->type == messages::kQuestionsType; });
}

std::string names_listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// A conversation over some runtime, whatever hosts the agents; writes the transcript in the end, also after Ctrl-C.
class TeamRun {
 public:
  TeamRun(const Environment& environment, const TeamRunOptions& options, asio::io_context& io, Runtime& runtime,
          std::string endpoint, bool asks)
      : environment_(environment), options_(options) {
    WatchOptions watch;
    watch.agent = *AgentId::make(options.agent, "run-" + random_hex(random_, 8));
    watch.task = options.task;
    watch.timeout = options.timeout;
    watch.is_json = environment.common.is_json;
    watch.has_questions = asks;
    watch.endpoint = std::move(endpoint);
    watch_ = std::make_unique<ConversationWatch>(io, runtime, clock_, environment.console, std::move(watch));
  }

  /// `start` brings the agents up and `stop` takes them down.
  Task<int> play(Task<Result<>> start, Task<> stop) {
    int code = kInterrupted;
    try {
      code = co_await converse(std::move(start));
    } catch (const std::exception&) {
      // After Ctrl-C: asio's operation_aborted, or its multiple_exceptions when two waits were aborted together.
      if (!is_interrupted_) throw;
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (is_interrupted_) {
      code = kInterrupted;
      watch_->interrupted();
      environment_.console.note("interrupted");
    }
    const bool is_written = !has_begun_ || write_transcript();
    co_await std::move(stop);
    co_return is_written || code != kDone ? code : kFailed;
  }

  void interrupt() { is_interrupted_ = true; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  Task<int> converse(Task<Result<>> start) {
    const Result<> started = co_await std::move(start);
    if (!started) co_return is_interrupted_ ? kInterrupted : environment_.console.fail(started.error());
    has_begun_ = true;
    co_return co_await watch_->run();
  }

  bool write_transcript() {
    if (!options_.transcript && !options_.has_own_transcript) return true;
    const std::filesystem::path file = options_.transcript.value_or(own_transcript_name(started_));
    std::ofstream out(file);
    out << (file.extension() == ".json" ? watch_->transcript().json() : watch_->transcript().markdown());
    out.close();
    if (!out && !options_.transcript) {
      environment_.console.note("no transcript: cannot write " + file.string());
      return true;
    }
    if (!out) {
      (void)environment_.console.fail(Error(ErrorCode::bad_configuration, "cannot write " + file.string()));
      return false;
    }
    if (!environment_.common.is_json) environment_.console.note("transcript in " + file.string());
    return true;
  }

  const Environment& environment_;
  const TeamRunOptions& options_;
  SystemClock clock_;
  SystemRandom random_;
  WallTime started_ = clock_.wall_now();
  std::unique_ptr<ConversationWatch> watch_;
  bool has_begun_ = false;
  bool is_interrupted_ = false;
};

Task<Result<>> start_processes(SupervisedSuite& suite, Runtime& runtime, supervisor::SuitePlan plan, Console& console) {
  console.status(console.paint(Color::dim, fmt::format("starting {} processes", plan.processes.size())));
  Result<> up = suite.start(plan);
  if (up) up = co_await suite.wait_until_up();
  if (up) up = co_await runtime.start();
  co_return up;
}

Task<> stop_processes(SupervisedSuite& suite, Runtime& runtime) {
  co_await runtime.stop(kRunGrace);
  co_await suite.stop();
}

/// A null ledger: the suite has no budgets.
Task<Result<>> host_agents(host::Deployment& deployment, LocalRuntime& runtime, const host::SuiteConfig& suite,
                           StandaloneLedger* ledger) {
  Result<> done = co_await runtime.start();
  if (done && ledger != nullptr) done = co_await ledger->host(runtime);
  for (const host::SuiteWorker& worker : suite.workers) {
    if (done) done = co_await deployment.deploy(runtime, worker.config);
  }
  co_return done;
}

Task<> stop_agents(LocalRuntime& runtime, host::Deployment& deployment,
                   std::shared_ptr<telemetry::OtlpExporter> spans) {
  co_await runtime.stop(kRunGrace);
  co_await deployment.stop(host::kToolGrace);
  if (spans) co_await spans->stop(host::kSpanGrace);
}

/// Where the budgets are kept, said to whoever runs it; empty for a suite without.
Result<std::filesystem::path> budgets_folder(const Environment& environment, const host::SuiteConfig& suite) {
  if (!suite.budgets) return std::filesystem::path();
  Result<std::filesystem::path> folder = ledger_folder_of(suite.file);
  if (folder && !environment.common.is_json) environment.console.note("budgets are kept in " + folder->string());
  return folder;
}

/// `flag` is the one to choose with.
Result<std::string> choose(const host::SuiteConfig& suite, const std::optional<std::string>& name,
                           std::string_view flag) {
  const std::vector<const host::AgentConfig*> agents = agents_of(suite);
  std::vector<std::string> all;
  std::set<std::string> members;
  for (const host::AgentConfig* agent : agents) {
    all.push_back(agent->type);
    members.insert(agent->members.begin(), agent->members.end());
  }
  if (name) {
    if (std::ranges::find(all, *name) != all.end()) return *name;
    return fail(ErrorCode::invalid,
                fmt::format("'{}' is no agent of {} (there are {})", *name, suite.file.string(), names_listed(all)));
  }
  std::vector<std::string> teams;
  for (const host::AgentConfig* agent : agents) {
    if (agent->is_team && !members.contains(agent->type)) teams.push_back(agent->type);
  }
  if (teams.size() == 1) return teams.front();
  if (teams.empty() && all.size() == 1) return all.front();
  return fail(ErrorCode::invalid, fmt::format("{} has {}: choose with {} one of {}", suite.file.string(),
                                              teams.empty() ? "no team" : fmt::format("{} teams", teams.size()), flag,
                                              names_listed(teams.empty() ? all : teams)));
}

}  // namespace

Result<std::string> choose_agent(const host::SuiteConfig& suite, const std::optional<std::string>& name) {
  return choose(suite, name, "--agent");
}

Result<AgentId> choose_chat_agent(const host::SuiteConfig& suite, const std::optional<std::string>& name,
                                  const std::string& session) {
  const bool has_proxy =
      std::ranges::any_of(agents_of(suite), [](const auto* each) { return each->type == kUserProxyType; });
  if (!name && has_proxy) return AgentId::make(kUserProxyType, session);
  const std::size_t slash = name ? name->find('/') : std::string::npos;
  const std::optional<std::string> type = name ? std::optional(name->substr(0, slash)) : std::nullopt;
  const Result<std::string> chosen = choose(suite, type, "--chat");
  if (!chosen) return fail(chosen.error());
  return AgentId::make(*chosen, slash == std::string::npos ? session : name->substr(slash + 1));
}

std::string own_transcript_name(WallTime started) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(started);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "parley-run.md";
  return fmt::format("parley-run-{:04}{:02}{:02}-{:02}{:02}{:02}.md", parts.tm_year + kTmYearZero, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

int run_team_in_processes(const Environment& environment, const host::SuiteConfig& suite,
                          const TeamRunOptions& options) {
  Console& console = environment.console;
  const Result<std::filesystem::path> ledger_folder = budgets_folder(environment, suite);
  if (!ledger_folder) return console.fail(ledger_folder.error());
  const TemporaryFolder folder("parley-run");
  if (folder.path().empty()) return console.fail(Error(ErrorCode::bad_configuration, "cannot make a temporary folder"));
  const Result<RunDirectory> directory = RunDirectory::claim(folder.path());
  if (!directory) return console.fail(directory.error());
  if (const Result<> recorded = directory->record(""); !recorded) return console.fail(recorded.error());
  const std::string endpoint = "ipc://" + (folder.path() / "broker.sock").string();
  asio::io_context io(1);
  WorkerRuntimeOptions runtime_options;
  runtime_options.name = "parley run";
  runtime_options.brokers = {endpoint};
  const Result<std::unique_ptr<Runtime>> runtime = make_worker_runtime(io, std::move(runtime_options));
  if (!runtime) return console.fail(runtime.error());
  TeamRun run(environment, options, io, **runtime, endpoint, has_questions(suite));
  SupervisedSuite processes(io, run.clock(), folder.path(), environment.program_folder);
  supervisor::SuitePlan plan = plan_suite(
      suite, endpoint, {.programs = environment.program_folder, .run = folder.path(), .ledger = *ledger_folder});
  return run_until_done(
      io,
      run.play(start_processes(processes, **runtime, std::move(plan), console), stop_processes(processes, **runtime)),
      [&](int) {
        run.interrupt();
        return AtSignal::cancel;
      });
}

int run_team_here(const Environment& environment, const host::SuiteConfig& suite, const TeamRunOptions& options) {
  Console& console = environment.console;
  const SystemClock clock;
  SystemRandom random;
  asio::io_context io(1);
  const Result<std::filesystem::path> ledger_folder = budgets_folder(environment, suite);
  if (!ledger_folder) return console.fail(ledger_folder.error());
  std::unique_ptr<StandaloneLedger> ledger;
  if (suite.budgets) {
    auto made = StandaloneLedger::make(io, clock, *suite.budgets, *ledger_folder);
    if (!made) return console.fail(made.error());
    ledger = std::move(*made);
  }
  host::Deployment deployment(io, clock, random);
  LocalRuntime runtime(io);
  const auto spans = host::start_span_exporter(io, clock, random, host::shared_telemetry(suite), "parley run");
  if (!spans) return console.fail(spans.error());
  deployment.set_span_sink(*spans);
  runtime.set_span_sink(*spans);
  for (const host::SuiteWorker& worker : suite.workers) {
    if (const Result<> prepared = deployment.prepare(worker.config); !prepared) return console.fail(prepared.error());
  }
  TeamRun run(environment, options, io, runtime, "", has_questions(suite));
  return run_until_done(
      io, run.play(host_agents(deployment, runtime, suite, ledger.get()), stop_agents(runtime, deployment, *spans)),
      [&run](int) {
        run.interrupt();
        return AtSignal::cancel;
      });
}

}  // namespace parley::cli
