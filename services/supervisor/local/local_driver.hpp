// Runs processes on this machine: posix_spawn, a process group and a log file for each, pidfd to see the end, the log
// to see the ready line, and adoption of what an earlier supervisor started. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/supervisor/driver.hpp"
#include "services/supervisor/local/child_process.hpp"
#include "services/supervisor/local/log_tail.hpp"
#include "services/supervisor/local/suite_files.hpp"

namespace parley::supervisor {

class LocalDriver final : public Driver {
 public:
  /// Logs and marks belong to `folder`. `io` must outlive the driver.
  static Result<std::unique_ptr<LocalDriver>> make(asio::io_context& io, std::filesystem::path folder);
  /// Leaves the processes running.
  ~LocalDriver() override;

  /// How `process` is run. Its log is read from `log_offset` on.
  void add(const PlannedProcess& process, std::uintmax_t log_offset);
  /// Watches the process of an earlier supervisor; false when it is not there any more.
  bool adopt(const std::string& process, const ProcessId& id, std::uint16_t metrics_port);

  void observe(DriverObserver& observer) override { observer_ = &observer; }
  void start(const std::string& process) override;
  void stop(const std::string& process) override;
  void kill(const std::string& process) override;

  /// pid 0 when it does not run.
  [[nodiscard]] ProcessId id_of(const std::string& process) const;
  /// Of its metrics page; 0 while it is not known, or when there is none.
  [[nodiscard]] std::uint16_t metrics_port_of(const std::string& process) const;
  [[nodiscard]] std::uintmax_t log_offset_of(const std::string& process) const;
  [[nodiscard]] std::filesystem::path log_of(const std::string& process) const;
  [[nodiscard]] std::vector<std::string> last_lines_of(const std::string& process) const;

 private:
  struct Entry;
  LocalDriver(asio::io_context& io, std::filesystem::path folder, int inotify);

  void watch(Entry& entry, ChildProcess child);
  void note_end(const std::string& process);
  void read_log(Entry& entry);
  void watch_logs();
  void tell_failed_start(const std::string& process, const std::string& why);

  asio::io_context& io_;
  std::filesystem::path folder_;
  asio::posix::stream_descriptor log_changes_;  ///< inotify(7) on the folder
  DriverObserver* observer_ = nullptr;
  std::map<std::string, std::unique_ptr<Entry>> entries_;
};

}  // namespace parley::supervisor
