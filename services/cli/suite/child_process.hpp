// One child process that cannot outlive us: the kernel kills it when we die, however we die. Its output comes through a
// pipe. Move-only; the destructor kills what still runs. Main thread only: PR_SET_PDEATHSIG is bound to the thread that
// forks (and is the reason why this is not posix_spawn, which cannot set it).
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::cli {

/// How a process ended.
struct ProcessExit {
  int code = 0;    ///< exit code, when it was not a signal
  int signal = 0;  ///< 0 when it was not a signal

  /// `exit code 2`, `signal 9 (Killed)`.
  [[nodiscard]] std::string str() const;
};

class ChildProcess {
 public:
  /// Starts `command` (program path, then arguments) in a process group of its own, so that Ctrl-C on the terminal
  /// reaches us only, with standard output and error in one pipe and nothing on standard input. Fails with
  /// `bad_configuration` when the program cannot be run.
  static Result<ChildProcess> start(const std::vector<std::string>& command);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) = delete;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The reading end of the output pipe; the caller closes it. -1 after the first call.
  [[nodiscard]] int take_output() { return std::exchange(output_, -1); }
  /// Nothing happens to a process that has ended.
  void send_signal(int signal) const;
  /// Looks once, without waiting; set once the process has ended.
  [[nodiscard]] const std::optional<ProcessExit>& poll_exit();

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

  pid_t pid_;
  int output_;
  std::optional<ProcessExit> exit_;
};

}  // namespace parley::cli
