// How a process ended, and what that says about it. Values; any thread.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstring>
#include <spdlog/fmt/fmt.h>
#include <string>

namespace parley::supervisor {

struct ProcessEnd {
  enum class Kind : std::uint8_t {
    exited,   ///< by itself; `value` is its exit code
    killed,   ///< by the signal `value`
    unknown,  ///< it was not our child, so nobody told us
    failed,   ///< it could not be started at all
  };
  Kind kind = Kind::unknown;
  int value = 0;
  std::string detail = {};  ///< why it could not be started

  /// `exit code 2`, `signal 9 (Killed)`.
  [[nodiscard]] std::string str() const {
    if (kind == Kind::exited) return fmt::format("exit code {}", value);
    if (kind == Kind::killed) return fmt::format("signal {} ({})", value, ::strsignal(value));
    return kind == Kind::failed ? detail : std::string("unknown end");
  }

  /// Its configuration is wrong, so that another start ends the same way.
  [[nodiscard]] bool is_hopeless() const {
    constexpr int kBadConfigurationExit = 2;
    return kind == Kind::failed || (kind == Kind::exited && value == kBadConfigurationExit);
  }

  /// What it was doing may have caused it. A kill from outside (an operator, the kernel when memory is short) says
  /// nothing about the messages that were being handled.
  [[nodiscard]] bool is_own_doing() const {
    if (kind == Kind::exited) return value != 0;
    return kind == Kind::killed && value != SIGKILL && value != SIGTERM && value != SIGINT && value != SIGHUP;
  }

  /// Nobody told us how; whether it was a crash is for the broker to say, which knows who went without a word.
  [[nodiscard]] bool is_untold() const { return kind == Kind::unknown; }

  friend bool operator==(const ProcessEnd&, const ProcessEnd&) = default;
};

}  // namespace parley::supervisor
