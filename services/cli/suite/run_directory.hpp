// The folder of one running suite: who runs it (locked, so that nobody starts it twice), where its broker listens, the
// logs of its processes. Main thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

#include "libmsg/core/error.hpp"

namespace parley::cli {

/// Who runs a suite. The start time tells a process from a later one with the same number.
struct RunRecord {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since the machine started (proc(5), field 22)
  std::string broker;
};

/// The folder that `parley up` uses unless told otherwise, beside the default broker socket.
[[nodiscard]] std::filesystem::path default_run_directory();

/// nullopt when there is no such process.
[[nodiscard]] std::optional<std::uint64_t> start_time_of(pid_t pid);

/// The record in `folder`; nullopt when there is none or its process has ended.
[[nodiscard]] std::optional<RunRecord> find_running(const std::filesystem::path& folder);

/// Holds the lock of a run directory while it lives.
class RunDirectory {
 public:
  /// Makes the folder (mode 0700) and takes its lock. Fails with `refused` when a suite runs there, and with
  /// `bad_configuration` when the folder cannot be used.
  static Result<RunDirectory> claim(const std::filesystem::path& folder);
  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory& operator=(RunDirectory&&) = delete;
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  /// Removes the record, keeps the logs.
  ~RunDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path log_of(const std::string& process) const { return path_ / (process + ".log"); }
  /// Writes this process down as the one that runs the suite.
  [[nodiscard]] Result<> record(const std::string& broker) const;

 private:
  RunDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_;
};

}  // namespace parley::cli
