// The processes of a suite while they run: started in order, each awaited until it says that it is ready; stopped in
// reverse. A process that ends by itself is a failure of the suite (restarting is the supervisor's business).
// Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/suite/suite_plan.hpp"

namespace parley::cli {

/// A process has become ready: its name and what its ready line said.
using OnReady = std::function<void(const ProcessPlan& process)>;
/// A line of output of a process.
using OnLine = std::function<void(const std::string& process, const std::string& line)>;

class SuiteProcesses {
 public:
  static constexpr std::chrono::milliseconds kReadyTimeout{30'000};
  static constexpr std::chrono::milliseconds kStopTimeout{10'000};

  /// All must outlive the suite.
  SuiteProcesses(asio::io_context& io, const Clock& clock, const RunDirectory& directory);
  SuiteProcesses(const SuiteProcesses&) = delete;
  SuiteProcesses& operator=(const SuiteProcesses&) = delete;
  /// Kills what still runs.
  ~SuiteProcesses();

  void set_on_ready(OnReady on_ready) { on_ready_ = std::move(on_ready); }
  void set_on_line(OnLine on_line) { on_line_ = std::move(on_line); }

  /// Starts everything. At the first failure it stops what it has started; the error names the process, how it ended
  /// and its last lines. After interrupt() it fails with `cancelled`.
  Task<Result<>> start(std::vector<ProcessPlan> plan);
  /// Completes when a process ends by itself, with that as an error, or with `cancelled` after interrupt().
  Task<Error> wait_for_failure();
  /// SIGTERM to one after the other, the last started first; SIGKILL to one that takes longer than kStopTimeout.
  Task<> stop();
  /// Ends start() and wait_for_failure(); safe in a handler of the loop.
  void interrupt();

 private:
  struct Child;

  Task<Result<>> start_one(const ProcessPlan& plan);
  Task<> reap();
  template <class Condition>
  Task<bool> wait_until(Condition condition, TimePoint deadline);
  /// Lets everybody in wait_until() look again.
  void wake_all();
  [[nodiscard]] Error failure_of(Child& child, std::string_view when) const;
  static Task<> pump(std::shared_ptr<Child> child, SuiteProcesses& suite);
  void take_line(Child& child, std::string line);

  asio::io_context& io_;
  const Clock& clock_;
  const RunDirectory& directory_;
  OnReady on_ready_;
  OnLine on_line_;
  std::vector<std::shared_ptr<Child>> children_;  ///< shared with the coroutine that reads the child's output
  asio::signal_set child_signals_;
  std::vector<asio::steady_timer*> waiting_;  ///< of the coroutines in wait_until(), which own them
  bool is_reaping_ = false;
  bool is_interrupted_ = false;
};

}  // namespace parley::cli
