// A server that runs as a child: in a process group of its own, which is killed as a whole when the object goes, and
// which the kernel kills when this process dies. Knows nothing of the protocol. Loop thread only.
#pragma once

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "libmsg/core/error.hpp"

namespace parley::mcp {

struct ChildOptions {
  std::vector<std::string> command;
  std::string folder = {};  ///< to run in; empty: this process's
  /// The whole environment.
  std::vector<std::pair<std::string, std::string>> environment = {};
};

class ChildProcess {
 public:
  /// Fails with `unreachable` when the program cannot be started.
  static Result<ChildProcess> start(const ChildOptions& options);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  /// Closes its input, so that it may end by itself; then SIGTERM and SIGKILL to the group. At most 0.6 s.
  ~ChildProcess();

  /// Ends of its pipes, non-blocking; owned by whoever takes them.
  [[nodiscard]] int take_input() { return std::exchange(input_, -1); }
  [[nodiscard]] int take_output() { return std::exchange(output_, -1); }
  [[nodiscard]] int take_errors() { return std::exchange(errors_, -1); }
  /// How it ended (`exit code 3`, `signal 9`); empty while it runs.
  [[nodiscard]] std::string ending();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  ChildProcess(pid_t pid, int input, int output, int errors)
      : pid_(pid), input_(input), output_(output), errors_(errors) {}

  pid_t pid_;
  int input_;
  int output_;
  int errors_;
  std::string ending_;
};

/// PATH, HOME, USER, LANG, TMPDIR and the like of this process, what `from` names, and `own`, which wins.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> child_environment(
    const std::vector<std::string>& from, const std::vector<std::pair<std::string, std::string>>& own);

}  // namespace parley::mcp
