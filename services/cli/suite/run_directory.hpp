// The folder of one running suite, locked by the process that watches it, so that nobody starts it twice. What lies in
// it is described in services/supervisor/local/suite_files.hpp. Main thread.
#pragma once

#include <filesystem>
#include <string>

#include "libmsg/core/error.hpp"

namespace parley::cli {

/// The folder that `parley up` uses unless told otherwise, beside the default broker socket.
[[nodiscard]] std::filesystem::path default_run_directory();

/// True when a supervisor, a process that watches it, or a process of theirs is alive in `folder`.
[[nodiscard]] bool is_suite_alive(const std::filesystem::path& folder);

/// Holds the lock of a run directory while it lives.
class RunDirectory {
 public:
  /// Makes the folder (mode 0700) and takes its lock. Fails with `refused` when a suite runs there, and with
  /// `bad_configuration` when the folder cannot be used.
  static Result<RunDirectory> claim(const std::filesystem::path& folder);
  /// The same for a suite that runs: takes the lock of a watcher that is gone.
  static Result<RunDirectory> take_over(const std::filesystem::path& folder);
  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory& operator=(RunDirectory&&) = delete;
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  /// Removes the record of the watcher, keeps the logs.
  ~RunDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes this process down as the one that watches the suite's supervisor.
  [[nodiscard]] Result<> record(const std::string& broker) const;

 private:
  RunDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_;
};

}  // namespace parley::cli
