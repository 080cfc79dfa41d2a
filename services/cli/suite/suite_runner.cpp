#include "services/cli/suite/suite_runner.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libmsg/net/endpoint.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/line_source.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/suite/ledger_folder.hpp"
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/suite/suite_plan.hpp"
#include "services/cli/suite/suite_source.hpp"
#include "services/cli/suite/supervised_suite.hpp"

namespace parley::cli {
namespace {

/// The option and PARLEY_BROKER win over the file, the file over the run directory's own socket.
std::string choose_endpoint(const Environment& environment, const UpOptions& options, const host::SuiteConfig& suite) {
  if (is_broker_named(environment.common)) return broker_endpoints(environment.common).front();
  if (suite.broker.endpoint) return *suite.broker.endpoint;
  if (!options.has_own_run_directory) return net::default_endpoint();
  return "ipc://" + (std::filesystem::absolute(options.run_directory) / "broker.sock").string();
}

/// One suite from start to stop.
struct Runner {
  const Environment& environment;
  const RunDirectory& directory;
  const std::string& endpoint;
  const std::function<void()>& on_up;
  SupervisedSuite& suite;
  const std::optional<int>& signal;

  Task<int> run(supervisor::SuitePlan plan) {
    Console& console = environment.console;
    Result<> up = suite.start(plan);
    if (up) up = co_await suite.wait_until_up();
    if (!up) {
      co_await suite.stop();
      if (up.error().code != ErrorCode::cancelled) co_return console.fail(up.error());
      console.note("stopped");
      co_return code_of_signal();
    }
    announce(plan.processes.size());
    on_up();
    co_return co_await watch();
  }

  Task<int> watch() {
    co_await suite.watch();
    environment.console.note("stopping");
    co_await suite.stop();
    environment.console.note("stopped");
    co_return code_of_signal();
  }

 private:
  /// Also for `parley down`, which reaches the supervisor and not us.
  [[nodiscard]] int code_of_signal() const { return signal.value_or(SIGTERM) == SIGINT ? kInterrupted : kDone; }

  void announce(std::size_t count) const {
    Console& console = environment.console;
    if (environment.common.is_json) {
      console.print(to_line({{"broker", endpoint}, {"processes", count}, {"run_dir", directory.path().string()}}));
      return;
    }
    console.note(fmt::format("{} processes are up; logs in {}", count, directory.path().string()));
    if (endpoint != net::default_endpoint()) console.note(fmt::format("export PARLEY_BROKER={}", endpoint));
    console.note("talk to it with 'parley chat', look at it with 'parley ps'");
  }
};

Result<host::SuiteConfig> load(const UpOptions& options, const RunDirectory& directory) {
  if (!options.file) return write_embedded_suite(directory.path(), options.models);
  auto suite = load_suite(options.file, options.models);
  if (!suite) return fail(suite.error().error());
  return std::move(*suite);
}

Task<int> stopped_already() { co_return kDone; }

/// Runs `work` on the suite in `directory`; signals interrupt it.
int with_suite(const Environment& environment, const UpOptions& options, const RunDirectory& directory,
               const std::string& endpoint, const std::function<void()>& on_up,
               const std::function<Task<int>(Runner&)>& work) {
  Console& console = environment.console;
  const SystemClock clock;
  asio::io_context io(1);
  SupervisedSuite suite(io, clock, directory.path(), environment.program_folder);
  suite.set_on_note([&console](const std::string& text) { console.note(text); });
  suite.set_on_ready([&console](const std::string& process) {
    console.note(fmt::format("{} {}", console.paint(Color::green, "ready"), process));
  });
  if (options.is_verbose) {
    suite.set_on_line([&console](const std::string& process, const std::string& line) {
      console.note(fmt::format("{} {}", console.paint(Color::dim, process + " |"), printable(line)));
    });
  }
  std::optional<int> signal;
  Runner runner{environment, directory, endpoint, on_up, suite, signal};
  return run_until_done(io, work(runner), [&](int number) {
    signal = number;
    suite.interrupt();
    return AtSignal::keep_going;
  });
}

/// Both ends of the pipe through which a detached suite tells that it is up.
struct UpPipe {
  int reading = -1;
  int writing = -1;
};

/// The detached process: lives on after the terminal has gone, and writes to a log instead.
[[noreturn]] void become_daemon(const Environment& environment, const UpOptions& options, UpPipe pipe) {
  ::close(pipe.reading);
  (void)::setsid();
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  (void)::dup2(nothing, STDIN_FILENO);
  (void)::dup2(nothing, STDOUT_FILENO);
  // What is written before the suite is up goes to the one who waits for it; then to nowhere, for the logs have it.
  (void)::dup2(pipe.writing, STDERR_FILENO);
  ::close(pipe.writing);
  const auto on_up = [nothing] { (void)::dup2(nothing, STDERR_FILENO); };
  const int code = run_suite(environment, options, on_up);
  (void)std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace

Result<std::filesystem::path> ledger_folder_for(const UpOptions& options, const host::SuiteConfig& suite) {
  if (options.has_own_run_directory || !suite.budgets) return options.run_directory / "ledger";
  return ledger_folder_of(suite.file);
}

int run_suite(const Environment& environment, const UpOptions& options, const std::function<void()>& on_up) {
  Console& console = environment.console;
  const Result<RunDirectory> directory = RunDirectory::claim(options.run_directory);
  if (!directory) return console.fail(directory.error());
  const Result<host::SuiteConfig> suite = load(options, *directory);
  if (!suite) return console.fail(suite.error());
  const std::string endpoint = choose_endpoint(environment, options, *suite);
  const bool is_of_file = !is_broker_named(environment.common) && suite->broker.endpoint;
  if (is_of_file && !environment.common.is_insecure_allowed) {
    if (const auto problems = host::check_reach(*suite); !problems.is_empty()) return console.fail(problems.error());
  }
  const auto reach = environment.common.is_insecure_allowed || suite->broker.is_insecure_allowed
                         ? net::Reach::anywhere
                         : net::Reach::this_machine;
  if (const auto checked = net::parse_endpoint(endpoint, reach); !checked) return console.fail(checked.error());

  if (const Result<> recorded = directory->record(endpoint); !recorded) return console.fail(recorded.error());
  const Result<std::filesystem::path> ledger_folder = ledger_folder_for(options, *suite);
  if (!ledger_folder) return console.fail(ledger_folder.error());
  if (suite->budgets && !environment.common.is_json) console.note("budgets are kept in " + ledger_folder->string());
  supervisor::SuitePlan plan = plan_suite(
      *suite, endpoint, {.programs = environment.program_folder, .run = directory->path(), .ledger = *ledger_folder});
  plan.watcher = {(environment.program_folder / "parley").string(), "up", "--guard", "--run-dir",
                  directory->path().string()};
  return with_suite(environment, options, *directory, endpoint, on_up,
                    [&plan](Runner& runner) { return runner.run(std::move(plan)); });
}

int watch_suite(const Environment& environment, const UpOptions& options) {
  const Result<RunDirectory> directory = RunDirectory::take_over(options.run_directory);
  if (!directory) return environment.console.fail(directory.error());
  const Result<supervisor::SuitePlan> plan = supervisor::read_plan(directory->path());
  if (!plan) return environment.console.fail(plan.error());
  if (const Result<> recorded = directory->record(plan->broker); !recorded) {
    return environment.console.fail(recorded.error());
  }
  const auto nothing = [] {};
  return with_suite(environment, options, *directory, plan->broker, nothing, [](Runner& runner) -> Task<int> {
    if (!runner.suite.attach()) return stopped_already();
    return runner.watch();
  });
}

int run_suite_detached(const Environment& environment, const UpOptions& options) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return environment.console.fail(
        Error(ErrorCode::overloaded, fmt::format("cannot make a pipe: {}", std::strerror(errno))));
  }
  const UpPipe pipe{ends[0], ends[1]};
  const pid_t pid = ::fork();
  if (pid < 0) {
    return environment.console.fail(
        Error(ErrorCode::overloaded, fmt::format("cannot start a process: {}", std::strerror(errno))));
  }
  if (pid == 0) become_daemon(environment, options, pipe);
  ::close(pipe.writing);
  const Result<std::string> said = read_all(pipe.reading, std::size_t{1} << 20U);
  ::close(pipe.reading);
  if (said) environment.console.note(said->substr(0, said->find_last_not_of('\n') + 1));
  // The pipe closes when the suite is up, or when the process has ended without getting there.
  int status = 0;
  const auto watcher = supervisor::read_watcher(options.run_directory);
  const auto plan = supervisor::read_plan(options.run_directory);
  const auto state = supervisor::read_state(options.run_directory);
  if (watcher && watcher->pid == pid && supervisor::is_alive(*watcher) && state && plan) {
    if (environment.common.is_json) {
      environment.console.print(
          to_line({{"pid", pid}, {"broker", plan->broker}, {"run_dir", options.run_directory.string()}}));
    } else {
      environment.console.note(fmt::format("running in the background (pid {}); 'parley down' stops it", pid));
    }
    return kDone;
  }
  (void)::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) != kDone ? WEXITSTATUS(status) : kFailed;
}

}  // namespace parley::cli
