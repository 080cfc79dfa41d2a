#include "agents/mcp/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace parley::mcp {

namespace {

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }
  [[nodiscard]] bool is_open() const { return ends_[0] >= 0; }
  [[nodiscard]] int reading() const { return ends_[0]; }
  [[nodiscard]] int writing() const { return ends_[1]; }
  int take_reading() { return take(0); }
  int take_writing() { return take(1); }

 private:
  int take(std::size_t end) {
    ::fcntl(ends_.at(end), F_SETFL, O_NONBLOCK);
    return std::exchange(ends_.at(end), -1);
  }
  std::array<int, 2> ends_{};
};

/// Arrays of C strings, made before fork(): behind it nothing may allocate.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size());
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The path that execvp() would take; it may not search in the child, whose environment is another.
std::string find_program(const std::string& name, const char* path) {
  if (name.contains('/') || path == nullptr) return name;
  std::string_view rest(path);
  while (!rest.empty()) {
    const std::string folder(rest.substr(0, rest.find(':')));
    std::string file = std::filesystem::path(folder) / name;
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
  }
  return name;
}

struct ChildSide {
  const char* program;
  char** arguments;
  char** environment;
  const char* folder;  ///< nullptr: none
  int input;
  int output;
  int errors;
  int failure;  ///< takes errno when the program cannot be started
  pid_t parent;
};

/// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(const ChildSide& side) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != side.parent) ::_exit(127);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal = 1; signal < 32; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) std::signal(signal, SIG_DFL);
  }
  const bool is_wired = ::dup2(side.input, STDIN_FILENO) >= 0 && ::dup2(side.output, STDOUT_FILENO) >= 0 &&
                        ::dup2(side.errors, STDERR_FILENO) >= 0 &&
                        (side.folder == nullptr || ::chdir(side.folder) == 0);
  if (is_wired) ::execve(side.program, side.arguments, side.environment);
  const int code = errno;
  static_cast<void>(!::write(side.failure, &code, sizeof(code)));
  ::_exit(127);
}

std::string text_of_status(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

void nap_10_ms() {
  const timespec nap{0, 10'000'000};
  ::nanosleep(&nap, nullptr);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const ChildOptions& options) {
  Pipe input;
  Pipe output;
  Pipe errors;
  Pipe failure;
  if (!input.is_open() || !output.is_open() || !errors.is_open() || !failure.is_open()) {
    return fail(ErrorCode::unreachable, std::string("no pipe: ") + std::strerror(errno));
  }
  std::vector<std::string> command = options.command;
  std::vector<std::string> environment;
  std::string path;
  for (const auto& [name, value] : options.environment) {
    environment.push_back(std::string(name).append("=").append(value));
    if (name == "PATH") path = value;
  }
  const std::string program = find_program(command.front(), path.c_str());
  std::vector<char*> arguments = pointers_to(command);
  std::vector<char*> variables = pointers_to(environment);
  const ChildSide side{
      program.c_str(), arguments.data(), variables.data(), options.folder.empty() ? nullptr : options.folder.c_str(),
      input.reading(), output.writing(), errors.writing(), failure.writing(),
      ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorCode::unreachable, std::string("no process: ") + std::strerror(errno));
  if (pid == 0) become(side);
  ::setpgid(pid, pid);  // also here: whoever is first, the group is there before it is used
  ::close(failure.take_writing());
  int code = 0;
  ssize_t count = 0;
  do {
    count = ::read(failure.reading(), &code, sizeof(code));
  } while (count < 0 && errno == EINTR);
  ChildProcess child(pid, input.take_writing(), output.take_reading(), errors.take_reading());
  if (count > 0) {
    return fail(ErrorCode::unreachable, "cannot start " + options.command.front() + ": " + std::strerror(code));
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      errors_(std::exchange(other.errors_, -1)),
      ending_(std::move(other.ending_)) {}

ChildProcess::~ChildProcess() {
  for (const int end : {input_, output_, errors_}) {
    if (end >= 0) ::close(end);
  }
  if (pid_ <= 0) return;
  for (int i = 0; i < 60 && ending().empty(); ++i) {
    if (i == 20) ::kill(-pid_, SIGTERM);
    if (i == 50) ::kill(-pid_, SIGKILL);
    nap_10_ms();
  }
  // The child is gone; what it has started may not be.
  ::kill(-pid_, SIGKILL);
}

std::string ChildProcess::ending() {
  if (!ending_.empty() || pid_ <= 0) return ending_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) ending_ = text_of_status(status);
  return ending_;
}

std::vector<std::pair<std::string, std::string>> child_environment(
    const std::vector<std::string>& from, const std::vector<std::pair<std::string, std::string>>& own) {
  std::map<std::string, std::string> variables;
  const auto take = [&variables](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value != nullptr) variables[name] = value;
  };
  for (const char* name :
       {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SHELL", "TERM"}) {
    take(name);
  }
  for (const std::string& name : from) take(name);
  for (const auto& [name, value] : own) variables[name] = value;
  return {variables.begin(), variables.end()};
}

}  // namespace parley::mcp
