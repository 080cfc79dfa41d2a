// One bubblewrap process and its descriptors. Whatever happens, everything in the sandbox is killed with this object.
// Loop thread.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "agents/sandbox/descriptor.hpp"
#include "libmsg/core/error.hpp"

namespace parley::sandbox {

struct Launch {
  std::vector<std::string> command;
  std::string seccomp_filter;
  std::string code;
};

class SandboxedProcess {
 public:
  /// Fails with `bad_configuration` when the program cannot be run.
  static Result<SandboxedProcess> start(const Launch& launch);
  SandboxedProcess(SandboxedProcess&& other) noexcept;
  SandboxedProcess& operator=(SandboxedProcess&&) = delete;
  SandboxedProcess(const SandboxedProcess&) = delete;
  SandboxedProcess& operator=(const SandboxedProcess&) = delete;
  /// Kills and waits for the end, which comes at once.
  ~SandboxedProcess();

  // Our ends, for the loop; none of them blocks.
  Descriptor out;
  Descriptor err;
  Descriptor control;  ///< see kControlDescriptor
  Descriptor status;   ///< see kStatusDescriptor
  Descriptor end;      ///< readable when bubblewrap has ended

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The sandbox's first process is known: when it ends, so has every other of the sandbox. False when it is not a
  /// child of ours. Its descriptor is readable when it has ended.
  [[nodiscard]] bool set_first(pid_t first);
  [[nodiscard]] const Descriptor& first_end() const { return first_end_; }
  [[nodiscard]] pid_t first() const { return first_; }
  /// A folder as the sandbox's processes see it; stays open when they have ended. Fails when it is not a memory file
  /// system, which all that may be written in a sandbox is.
  [[nodiscard]] Result<Descriptor> open_inside(const std::string& path) const;

  /// SIGKILL to all of the sandbox. Idempotent.
  void kill() const;
  /// Once `end` is readable: the exit code.
  int reap();

 private:
  explicit SandboxedProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_ = 0;
  pid_t first_ = 0;
  Descriptor first_end_;
};

}  // namespace parley::sandbox
