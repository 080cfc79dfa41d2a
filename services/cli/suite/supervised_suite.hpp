// A suite of processes as `parley up` and the demo see it: a supervisor that is started, watched and brought back when
// it is killed, and the state file by which it tells how its processes are. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libmsg/core/backoff.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/task.hpp"
#include "services/supervisor/local/child_process.hpp"
#include "services/supervisor/local/log_tail.hpp"
#include "services/supervisor/local/suite_files.hpp"

namespace parley::cli {

class SupervisedSuite {
 public:
  static constexpr std::chrono::milliseconds kStopTimeout{30'000};

  /// `io` and `clock` must outlive it. `folder` is absolute, and this process holds its lock.
  SupervisedSuite(asio::io_context& io, const Clock& clock, std::filesystem::path folder,
                  std::filesystem::path program_folder);
  SupervisedSuite(const SupervisedSuite&) = delete;
  SupervisedSuite& operator=(const SupervisedSuite&) = delete;

  /// A process has become ready.
  void set_on_ready(std::function<void(const std::string& process)> on_ready) { on_ready_ = std::move(on_ready); }
  /// A line of output of a process.
  void set_on_line(std::function<void(const std::string& process, const std::string& line)> on_line);
  /// Something that a person at the terminal wants to know.
  void set_on_note(std::function<void(const std::string& text)> on_note) { on_note_ = std::move(on_note); }

  /// Writes the plan down and starts a supervisor for it; old logs are removed.
  Result<> start(const supervisor::SuitePlan& plan);
  /// Takes over a suite that runs; false when there is none.
  bool attach();
  /// Completes when every process is ready. Fails when one ends before (the error names it, how it ended and its last
  /// lines), or with `cancelled` after interrupt().
  Task<Result<>> wait_until_up();
  /// Keeps the supervisor alive. Completes when it has stopped everything because somebody told it to, or after
  /// interrupt().
  Task<> watch();
  /// Completes when a process has failed, with what is known about it.
  Task<Error> wait_for_failure();
  /// Lets the supervisor stop everything; kills what is left after kStopTimeout.
  Task<> stop();
  /// Ends wait_until_up() and watch() soon; safe in a handler of the loop.
  void interrupt() { is_interrupted_ = true; }

 private:
  Result<> launch(const std::vector<std::string>& flags = {});
  Task<> pause(std::chrono::milliseconds time);
  [[nodiscard]] bool has_supervisor_ended();
  [[nodiscard]] Error failure_of(const supervisor::ProcessRecord& record, std::string_view when) const;
  [[nodiscard]] Error supervisor_failure() const;
  void show_lines();

  asio::io_context& io_;
  const Clock& clock_;
  std::filesystem::path folder_;
  std::filesystem::path program_folder_;
  SystemRandom random_;
  std::function<void(const std::string&)> on_ready_;
  std::function<void(const std::string&, const std::string&)> on_line_;
  std::function<void(const std::string&)> on_note_;
  std::optional<supervisor::ChildProcess> supervisor_;
  std::optional<supervisor::ProcessEnd> supervisor_end_;
  std::vector<std::pair<std::string, supervisor::LogTail>> logs_;
  std::set<std::string> ready_;
  bool is_interrupted_ = false;
};

/// Kills the supervisor and every process of the suite in `folder`; for when a clean stop takes too long.
void kill_suite(const std::filesystem::path& folder);

/// How a supervisor of the suite in `folder` is started.
[[nodiscard]] supervisor::LaunchOptions supervisor_launch(const std::filesystem::path& folder,
                                                          const std::filesystem::path& program_folder);

}  // namespace parley::cli
