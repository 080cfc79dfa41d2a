// Lines of standard input (or any descriptor) for coroutines: works for terminals, pipes, files and /dev/null, and
// leaves the descriptor's flags alone, because a terminal's are shared with the shell. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <optional>
#include <string>

#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::cli {

class LineSource {
 public:
  static constexpr std::size_t kMaxLineBytes = std::size_t{8} * 1024 * 1024;

  /// Borrows `descriptor`; `io` must outlive the source.
  LineSource(asio::io_context& io, int descriptor);
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;
  ~LineSource();

  /// The next line without its end; nullopt at the end of the input. Fails with `too_large` beyond kMaxLineBytes and
  /// with `invalid` when the descriptor cannot be read.
  Task<Result<std::optional<std::string>>> next();

 private:
  [[nodiscard]] std::optional<std::string> take_line();

  int descriptor_;
  asio::posix::stream_descriptor watched_;
  /// False for files, which epoll refuses and which never block.
  bool is_watchable_ = false;
  bool is_at_end_ = false;
  std::string buffer_;
  std::size_t searched_ = 0;  ///< bytes of buffer_ that hold no newline
};

/// All of a descriptor until its end, at most `max_bytes`; blocks. Fails with `too_large` or `invalid`.
[[nodiscard]] Result<std::string> read_all(int descriptor, std::size_t max_bytes);

}  // namespace parley::cli
