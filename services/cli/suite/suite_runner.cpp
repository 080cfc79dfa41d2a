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
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/suite/suite_processes.hpp"
#include "services/cli/suite/suite_source.hpp"

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
  const UpOptions& options;
  const RunDirectory& directory;
  const std::string& endpoint;
  const std::function<void()>& on_up;
  SuiteProcesses& processes;
  const std::optional<int>& signal;

  Task<int> run(std::vector<ProcessPlan> plan) {
    Console& console = environment.console;
    const std::size_t count = plan.size();
    const Result<> started = co_await processes.start(std::move(plan));
    if (!started)
      co_return started.error().code == ErrorCode::cancelled ? code_of_signal() : console.fail(started.error());
    if (const Result<> recorded = directory.record(endpoint); !recorded) {
      co_await processes.stop();
      co_return console.fail(recorded.error());
    }
    announce(count);
    on_up();
    const Error ended = co_await processes.wait_for_failure();
    console.note("stopping");
    co_await processes.stop();
    console.note("stopped");
    if (ended.code == ErrorCode::cancelled) co_return code_of_signal();
    (void)console.fail(ended);
    co_return kFailed;
  }

 private:
  [[nodiscard]] int code_of_signal() const { return signal.value_or(SIGINT) == SIGINT ? kInterrupted : kDone; }

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
  if (!options.file) return write_embedded_suite(directory.path());
  auto suite = host::load_suite(*options.file);
  if (!suite) return fail(suite.error().error());
  return std::move(*suite);
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

int run_suite(const Environment& environment, const UpOptions& options, const std::function<void()>& on_up) {
  Console& console = environment.console;
  const Result<RunDirectory> directory = RunDirectory::claim(options.run_directory);
  if (!directory) return console.fail(directory.error());
  const Result<host::SuiteConfig> suite = load(options, *directory);
  if (!suite) return console.fail(suite.error());
  const std::string endpoint = choose_endpoint(environment, options, *suite);
  const auto reach = environment.common.is_insecure_allowed || suite->broker.is_insecure_allowed
                         ? net::Reach::anywhere
                         : net::Reach::this_machine;
  if (const auto checked = net::parse_endpoint(endpoint, reach); !checked) return console.fail(checked.error());

  const SystemClock clock;
  asio::io_context io(1);
  SuiteProcesses processes(io, clock, *directory);
  processes.set_on_ready([&console](const ProcessPlan& process) {
    console.note(fmt::format("{} {}", console.paint(Color::green, "ready"), process.name));
  });
  if (options.is_verbose) {
    processes.set_on_line([&console](const std::string& process, const std::string& line) {
      console.note(fmt::format("{} {}", console.paint(Color::dim, process + " |"), printable(line)));
    });
  }
  std::optional<int> signal;
  Runner runner{environment, options, *directory, endpoint, on_up, processes, signal};
  return run_until_done(io, runner.run(plan_suite(*suite, endpoint, environment.program_folder)), [&](int number) {
    signal = number;
    processes.interrupt();
    return AtSignal::keep_going;
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
  const auto record = find_running(options.run_directory);
  if (record && record->pid == pid) {
    if (environment.common.is_json) {
      environment.console.print(
          to_line({{"pid", pid}, {"broker", record->broker}, {"run_dir", options.run_directory.string()}}));
    } else {
      environment.console.note(fmt::format("running in the background (pid {}); 'parley down' stops it", pid));
    }
    return kDone;
  }
  (void)::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) != kDone ? WEXITSTATUS(status) : kFailed;
}

}  // namespace parley::cli
