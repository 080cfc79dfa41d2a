// One local process in a process group of its own, and the descriptor by which its end is seen. It outlives us: a
// supervisor that is killed must not take its children along, and its successor adopts them. Move-only. Loop thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/core/error.hpp"
#include "services/supervisor/local/proc.hpp"
#include "services/supervisor/process_end.hpp"

namespace parley::supervisor {

struct LaunchOptions {
  std::vector<std::string> command;  ///< program path, then arguments
  std::vector<std::string> extra_environment = {};
  /// Where standard output and error are appended.
  std::filesystem::path log;
  /// A session of its own: no terminal can reach it.
  bool has_own_session = false;
};

class ChildProcess {
 public:
  /// posix_spawn with nothing on standard input, no other descriptor of ours, default signals, and a process group of
  /// its own. Fails with `bad_configuration` when the program cannot be run.
  static Result<ChildProcess> start(const LaunchOptions& options);
  /// One that runs already and may be anybody's child. nullopt when it has ended.
  static std::optional<ChildProcess> adopt(const ProcessId& process);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  /// Closes the descriptor; the process goes on.
  ~ChildProcess();

  [[nodiscard]] const ProcessId& id() const { return id_; }
  /// Readable once the process has ended (pidfd_open(2)).
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// To the process alone. Nothing happens to one that has ended.
  void send_signal(int signal) const;
  /// SIGKILL to the whole group.
  void kill_group() const;
  /// Looks without waiting. At the end of the process what is left of its group is killed, too.
  [[nodiscard]] std::optional<ProcessEnd> poll_end();

 private:
  ChildProcess(ProcessId id, int descriptor) : id_(id), descriptor_(descriptor) {}

  ProcessId id_;
  int descriptor_;
  std::optional<ProcessEnd> end_;
};

}  // namespace parley::supervisor
