// A child process of the benchmark: started with its standard output on a pipe, killed when its owner goes. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace parley::bench {

class Process {
 public:
  /// Starts `arguments[0]`. Throws std::system_error when it cannot be started.
  explicit Process(const std::vector<std::string>& arguments);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The next line of its standard output. Throws std::runtime_error after `timeout`, or when it ended before.
  std::string read_line(std::chrono::seconds timeout);
  /// Sends SIGTERM and reads the line that it answers with.
  std::string ask_for_end(std::chrono::seconds timeout);
  /// CPU time of all its threads so far.
  [[nodiscard]] std::chrono::nanoseconds cpu_time() const;
  /// Resident memory in bytes.
  [[nodiscard]] std::uint64_t resident_bytes() const;

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string name_;
  std::string buffered_;
};

/// Resident memory of this process: counts what any allocator holds, its own overhead included.
[[nodiscard]] std::uint64_t resident_bytes();
/// As many open files as this process may ask for; the usual limit is made for programs with few connections.
void allow_many_files();

}  // namespace parley::bench
