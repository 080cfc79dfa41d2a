// What a policy's decisions are carried out by: local processes, or pods of Kubernetes. Small on purpose; everything
// that could be decided is decided in policy.hpp. Loop thread.
#pragma once

#include <string>
#include <vector>

#include "services/supervisor/process_end.hpp"

namespace parley::supervisor {

/// Hears what happens to the processes.
class DriverObserver {
 public:
  DriverObserver() = default;
  DriverObserver(const DriverObserver&) = delete;
  DriverObserver& operator=(const DriverObserver&) = delete;
  virtual ~DriverObserver() = default;

  virtual void on_started(const std::string& process) = 0;
  virtual void on_ready(const std::string& process) = 0;
  /// `last_lines` of its output, oldest first.
  virtual void on_ended(const std::string& process, const ProcessEnd& end,
                        const std::vector<std::string>& last_lines) = 0;
};

class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  /// From now on `observer`, which must outlive the driver, hears what happens. Nothing is told from within a call.
  virtual void observe(DriverObserver& observer) = 0;
  /// A start that fails is told as an end of kind `failed`.
  virtual void start(const std::string& process) = 0;
  /// Asks it to end in good order.
  virtual void stop(const std::string& process) = 0;
  /// Ends it, with everything that it started.
  virtual void kill(const std::string& process) = 0;
};

}  // namespace parley::supervisor
