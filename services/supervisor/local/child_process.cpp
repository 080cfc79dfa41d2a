#include "services/supervisor/local/child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
// glibc 2.36 forgot to declare these as C.
extern "C" {
#include <sys/pidfd.h>
}

namespace parley::supervisor {
namespace {

/// What posix_spawn does between fork and exec.
class SpawnPlan {
 public:
  explicit SpawnPlan(const LaunchOptions& options) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    constexpr int kFirstOther = 3;
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                       S_IRUSR | S_IWUSR);
    ::posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, kFirstOther);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    const int group = options.has_own_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
    ::posix_spawnattr_setflags(&attributes_,
                               static_cast<short>(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const LaunchOptions& options) {
  std::vector<std::string> command = options.command;
  std::vector<std::string> environment = options.extra_environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  const SpawnPlan plan(options);
  pid_t pid = 0;
  const int problem = ::posix_spawn(&pid, command.front().c_str(), plan.actions(), plan.attributes(),
                                    pointers_to(command).data(), pointers_to(environment).data());
  if (problem != 0) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("cannot run {}: {}", command.front(), std::strerror(problem)));
  }
  // Nobody else waits for our children, so that the number still means this one.
  const int descriptor = ::pidfd_open(pid, 0);
  if (descriptor < 0) {
    const int reason = errno;
    (void)::kill(-pid, SIGKILL);
    (void)::waitpid(pid, nullptr, 0);
    return fail(ErrorCode::bad_configuration, fmt::format("cannot watch a process: {}", std::strerror(reason)));
  }
  return ChildProcess(identify(pid), descriptor);
}

std::optional<ChildProcess> ChildProcess::adopt(const ProcessId& process) {
  if (!is_alive(process)) return std::nullopt;
  const int descriptor = ::pidfd_open(process.pid, 0);
  if (descriptor < 0) return std::nullopt;
  ChildProcess child(process, descriptor);
  // The number may have passed to another process between the two looks.
  if (!is_alive(process)) return std::nullopt;
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : id_(other.id_), descriptor_(std::exchange(other.descriptor_, -1)), end_(std::move(other.end_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  id_ = other.id_;
  std::swap(descriptor_, other.descriptor_);
  end_ = std::move(other.end_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ChildProcess::send_signal(int signal) const {
  if (!end_) (void)::pidfd_send_signal(descriptor_, signal, nullptr, 0);
}

void ChildProcess::kill_group() const {
  if (!end_) (void)::kill(-id_.pid, SIGKILL);
  send_signal(SIGKILL);
}

std::optional<ProcessEnd> ChildProcess::poll_end() {
  if (end_) return end_;
  pollfd ended{descriptor_, POLLIN, 0};
  if (::poll(&ended, 1, 0) != 1) return std::nullopt;
  // Before it is reaped, or after nobody has its number any more: then the group can only be its own.
  const bool is_ours = ::getpgid(id_.pid) == id_.pid || !start_time_of(id_.pid);
  if (is_ours) (void)::kill(-id_.pid, SIGKILL);
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(descriptor_), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
    end_ = ProcessEnd{ProcessEnd::Kind::unknown};
  } else if (info.si_code == CLD_EXITED) {
    end_ = ProcessEnd{ProcessEnd::Kind::exited, info.si_status};
  } else {
    end_ = ProcessEnd{ProcessEnd::Kind::killed, info.si_status};
  }
  return end_;
}

}  // namespace parley::supervisor
