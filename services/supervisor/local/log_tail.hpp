// Follows the file that a process writes its output to: hands out new lines, keeps the last ones for the report of a
// crash, and keeps the file from growing without end. A file, not a pipe, so that output survives the supervisor's own
// restart. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace parley::supervisor {

class LogTail {
 public:
  static constexpr std::size_t kKeptLines = 8;
  static constexpr std::size_t kMaxLineBytes = std::size_t{64} * 1024;
  /// Beyond this the file becomes FILE.1 (and what that was is gone). Lines written in that moment may be lost.
  static constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{32} * 1024 * 1024;

  /// From `offset` on; the file need not exist yet.
  LogTail(std::filesystem::path file, std::uintmax_t offset) : file_(std::move(file)), offset_(offset) {}

  /// Calls `take` with each line that has come since.
  void read(const std::function<void(const std::string& line)>& take);
  /// What comes next belongs to a new process: an unfinished line and the kept ones are forgotten.
  void begin_process();

  /// The kept lines, and the unfinished one.
  [[nodiscard]] std::vector<std::string> last_lines() const {
    std::vector<std::string> lines(last_.begin(), last_.end());
    if (!unfinished_.empty()) lines.push_back(unfinished_);
    return lines;
  }
  [[nodiscard]] std::uintmax_t offset() const { return offset_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  void keep(const std::string& line);
  void rotate();

  std::filesystem::path file_;
  std::uintmax_t offset_;
  std::string unfinished_;
  std::deque<std::string> last_;
};

/// What a daemon says on one line of JSON when it is ready.
struct ReadyLine {
  std::uint16_t metrics_port = 0;  ///< 0: it has no page
};
/// nullopt for any other line.
[[nodiscard]] std::optional<ReadyLine> parse_ready_line(const std::string& line);

}  // namespace parley::supervisor
