#include "services/cli/suite/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace parley::cli {
namespace {

/// A pipe whose ends close themselves.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (int& end : ends) close(end);
  }
  [[nodiscard]] bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
};

/// The child between fork and exec: only async-signal-safe calls, and no way back.
[[noreturn]] void become(char* const* command, int output, int failure, pid_t parent) {
  (void)::setpgid(0, 0);
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before prctl took effect.
  if (::getppid() != parent) ::_exit(1);
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) (void)::signal(signal, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  (void)::dup2(nothing, STDIN_FILENO);
  (void)::dup2(output, STDOUT_FILENO);
  (void)::dup2(output, STDERR_FILENO);
  ::execv(command[0], command);
  const int reason = errno;
  (void)!::write(failure, &reason, sizeof reason);
  ::_exit(127);
}

/// The errno of a failed exec; 0 when the program runs (the pipe closed by itself).
int read_exec_failure(int from) {
  int reason = 0;
  ssize_t count = 0;
  do {
    count = ::read(from, &reason, sizeof reason);
  } while (count < 0 && errno == EINTR);
  return count == static_cast<ssize_t>(sizeof reason) ? reason : 0;
}

}  // namespace

std::string ProcessExit::str() const {
  if (signal != 0) return fmt::format("signal {} ({})", signal, ::strsignal(signal));
  return fmt::format("exit code {}", code);
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));  // NOLINT: execv's type
  arguments.push_back(nullptr);

  Pipe output;
  Pipe failure;
  if (!output.open() || !failure.open()) {
    return fail(ErrorCode::overloaded, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorCode::overloaded, fmt::format("cannot start a process: {}", std::strerror(errno)));
  if (pid == 0) become(arguments.data(), output.ends[1], failure.ends[1], parent);

  Pipe::close(failure.ends[1]);
  if (const int reason = read_exec_failure(failure.ends[0]); reason != 0) {
    (void)::waitpid(pid, nullptr, 0);
    return fail(ErrorCode::bad_configuration, fmt::format("cannot run {}: {}", command.front(), std::strerror(reason)));
  }
  return ChildProcess(pid, std::exchange(output.ends[0], -1));
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), output_(std::exchange(other.output_, -1)), exit_(other.exit_) {}

ChildProcess::~ChildProcess() {
  if (output_ >= 0) ::close(output_);
  if (pid_ <= 0 || exit_) return;
  (void)::kill(pid_, SIGKILL);
  (void)::waitpid(pid_, nullptr, 0);
}

void ChildProcess::send_signal(int signal) const {
  if (pid_ > 0 && !exit_) (void)::kill(pid_, signal);
}

const std::optional<ProcessExit>& ChildProcess::poll_exit() {
  if (exit_ || pid_ <= 0) return exit_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_ = WIFSIGNALED(status) ? ProcessExit{0, WTERMSIG(status)} : ProcessExit{WEXITSTATUS(status), 0};
  }
  return exit_;
}

}  // namespace parley::cli
