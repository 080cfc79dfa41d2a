// Feeds the lines of a file to a verb: `--from-file`, `--rate`, `--concurrency`, and a progress bar on a terminal.
// Memory is bounded: a line is read when somebody is free to send it. Loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "libmsg/core/clock.hpp"
#include "services/cli/bus_session.hpp"

namespace parley::cli {

struct FeedOptions {
  /// Path, or `-` for standard input.
  std::optional<std::string> file;
  /// Messages a second; 0: as fast as they are answered.
  std::uint64_t rate = 0;
  /// Messages under way at once.
  std::uint64_t concurrency = 1;
};

struct FeedSummary {
  std::uint64_t sent = 0;
  std::map<std::string, std::uint64_t> failures;  ///< by code

  [[nodiscard]] std::uint64_t failed() const;
};

/// When the n-th message is due. Pure.
class Pacer {
 public:
  /// `rate` 0: everything is due at once.
  Pacer(TimePoint start, std::uint64_t rate) : start_(start), rate_(rate) {}
  [[nodiscard]] TimePoint due(std::uint64_t number) const;

 private:
  TimePoint start_;
  std::uint64_t rate_;
};

/// `[#####-----]  50 %  1,234 sent, 2 failed`: at most `width` characters. A `total` of 0 is unknown: no bar. Pure.
[[nodiscard]] std::string render_progress(std::uint64_t done_bytes, std::uint64_t total_bytes,
                                          const FeedSummary& summary, std::size_t width);

/// Handles one line; `number` is that of the file, from 1, empty lines counted. Failures are counted, and the feed goes
/// on.
using FeedLine = std::function<Task<Result<>>(std::uint64_t number, std::string line)>;

/// Feeds every line that is not empty. Fails when the file cannot be read.
Task<Result<FeedSummary>> feed(Bus& bus, const FeedOptions& options, const FeedLine& line);

}  // namespace parley::cli
