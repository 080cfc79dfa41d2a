#include "agents/sandbox/sandboxed_process.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/magic.h>
#include <spawn.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
// glibc 2.36 forgot to declare these as C.
extern "C" {
#include <sys/pidfd.h>
}

#include "agents/sandbox/bwrap_command.hpp"

namespace parley::sandbox {
namespace {

/// Above the numbers that the child gets, so that no copy overwrites what is still to be copied.
constexpr int kFirstOwn = 16;

/// Code in a sandbox gives way to the agents of this machine.
constexpr int kNiceness = 5;

std::unexpected<Error> process_failure(const char* what) {
  return fail(ErrorCode::upstream_failed, std::string("cannot ") + what + ": " + std::strerror(errno));
}

Descriptor moved_up(int number) {
  const Descriptor low(number);
  return Descriptor(number < 0 ? -1 : ::fcntl(number, F_DUPFD_CLOEXEC, kFirstOwn));
}

struct Ends {
  Descriptor ours;
  Descriptor theirs;
};

Ends make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  Ends made{moved_up(ends[0]), moved_up(ends[1])};
  if (made.ours.is_open()) ::fcntl(made.ours.get(), F_SETFL, O_NONBLOCK);
  return made;
}

Ends make_socket() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return {};
  Ends made{moved_up(ends[0]), moved_up(ends[1])};
  if (made.ours.is_open()) ::fcntl(made.ours.get(), F_SETFL, O_NONBLOCK);
  return made;
}

/// A file in memory that is read from its beginning.
Descriptor file_of(std::string_view bytes) {
  Descriptor file = moved_up(::memfd_create("parley-sandbox", MFD_CLOEXEC));
  const bool is_written = file.is_open() &&
                          ::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
                          ::lseek(file.get(), 0, SEEK_SET) == 0;
  return is_written ? std::move(file) : Descriptor();
}

/// What posix_spawn does between fork and exec.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_,
                               static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void give(const Descriptor& descriptor, int number) {
    ::posix_spawn_file_actions_adddup2(&actions_, descriptor.get(), number);
  }
  Result<pid_t> spawn(const std::vector<std::string>& command) {
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, kCodeDescriptor + 1);
    std::vector<std::string> words = command;
    std::vector<char*> arguments;
    arguments.reserve(words.size());
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<char*, 1> no_environment{nullptr};
    pid_t pid = 0;
    const int problem =
        ::posix_spawn(&pid, command.front().c_str(), &actions_, &attributes_, arguments.data(), no_environment.data());
    if (problem == 0) return pid;
    return fail(ErrorCode::bad_configuration, "cannot run " + command.front() + ": " + std::strerror(problem));
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// When the machine runs out of memory, its first victim is to be the sandbox.
void offer_to_oom_killer(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/oom_score_adj";
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  constexpr std::string_view kFirst = "1000";
  if (file.is_open()) (void)!::write(file.get(), kFirst.data(), kFirst.size());
}

pid_t parent_of(pid_t pid) {
  const Descriptor file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  const ssize_t count = file.is_open() ? ::read(file.get(), text.data(), text.size()) : 0;
  std::string_view stat(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  // The name in brackets may hold anything; state and parent follow the last bracket.
  constexpr std::size_t kToParent = 4;
  const std::size_t bracket = stat.rfind(')');
  if (bracket == std::string_view::npos || stat.size() < bracket + kToParent) return 0;
  stat.remove_prefix(bracket + kToParent);
  pid_t parent = 0;
  std::from_chars(stat.data(), stat.data() + stat.size(), parent);
  return parent;
}

}  // namespace

Result<SandboxedProcess> SandboxedProcess::start(const Launch& launch) {
  Ends out = make_pipe();
  Ends err = make_pipe();
  Ends control = make_socket();
  Ends status = make_pipe();
  const Descriptor filter = file_of(launch.seccomp_filter);
  const Descriptor code = file_of(launch.code);
  const std::array<const Descriptor*, 6> given{&out.theirs,    &err.theirs, &control.theirs,
                                               &status.theirs, &filter,     &code};
  for (const Descriptor* each : given) {
    if (!each->is_open()) return process_failure("make the descriptors of a sandbox");
  }
  SpawnPlan plan;
  plan.give(out.theirs, STDOUT_FILENO);
  plan.give(err.theirs, STDERR_FILENO);
  plan.give(control.theirs, kControlDescriptor);
  plan.give(status.theirs, kStatusDescriptor);
  plan.give(filter, kSeccompDescriptor);
  plan.give(code, kCodeDescriptor);
  const Result<pid_t> pid = plan.spawn(launch.command);
  if (!pid) return fail(pid.error());
  SandboxedProcess process(*pid);
  process.end = Descriptor(::pidfd_open(*pid, 0));
  if (!process.end.is_open()) return process_failure("watch a process");
  offer_to_oom_killer(*pid);
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(*pid), kNiceness);
  process.out = std::move(out.ours);
  process.err = std::move(err.ours);
  process.control = std::move(control.ours);
  process.status = std::move(status.ours);
  return process;
}

SandboxedProcess::SandboxedProcess(SandboxedProcess&& other) noexcept
    : out(std::move(other.out)),
      err(std::move(other.err)),
      control(std::move(other.control)),
      status(std::move(other.status)),
      end(std::move(other.end)),
      pid_(std::exchange(other.pid_, 0)),
      first_(std::exchange(other.first_, 0)),
      first_end_(std::move(other.first_end_)) {}

SandboxedProcess::~SandboxedProcess() {
  if (pid_ == 0) return;
  kill();
  (void)::waitpid(pid_, nullptr, 0);
}

bool SandboxedProcess::set_first(pid_t first) {
  Descriptor opened(::pidfd_open(first, 0));
  // The number may have passed to another process; what the descriptor means cannot change any more.
  if (!opened.is_open() || parent_of(first) != pid_) return false;
  first_ = first;
  first_end_ = std::move(opened);
  return true;
}

Result<Descriptor> SandboxedProcess::open_inside(const std::string& path) const {
  const std::string full = "/proc/" + std::to_string(first_) + "/root" + path;
  Descriptor folder(::open(full.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct statfs about{};
  if (!folder.is_open() || ::fstatfs(folder.get(), &about) != 0) return process_failure("look into the sandbox");
  if (about.f_type != TMPFS_MAGIC)
    return fail(ErrorCode::upstream_failed, "the sandbox has no " + path + " of its own");
  return folder;
}

void SandboxedProcess::kill() const {
  if (first_end_.is_open()) (void)::pidfd_send_signal(first_end_.get(), SIGKILL, nullptr, 0);
  // Not reaped yet, so the number is still this group's.
  if (pid_ != 0) (void)::kill(-pid_, SIGKILL);
}

int SandboxedProcess::reap() {
  // What is left of its group must not outlive it.
  kill();
  int status_word = 0;
  const pid_t done = pid_ == 0 ? 0 : ::waitpid(std::exchange(pid_, 0), &status_word, 0);
  constexpr int kSignalled = 128;
  if (done <= 0) return kSignalled + SIGKILL;
  return WIFEXITED(status_word) ? WEXITSTATUS(status_word) : kSignalled + WTERMSIG(status_word);
}

}  // namespace parley::sandbox
