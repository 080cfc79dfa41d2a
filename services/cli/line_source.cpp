#include "services/cli/line_source.hpp"

#include <array>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace parley::cli {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

bool is_pollable(int descriptor) {
  struct stat about{};
  if (::fstat(descriptor, &about) != 0) return false;
  return S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode) || ::isatty(descriptor) == 1;
}

/// Appends what one read gives; 0 at the end.
Result<std::size_t> read_some(int descriptor, std::string& into) {
  std::array<char, kReadBytes> chunk;
  for (;;) {
    const ssize_t count = ::read(descriptor, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::invalid, std::string("cannot read the input: ") + std::strerror(errno));
    into.append(chunk.data(), static_cast<std::size_t>(count));
    return static_cast<std::size_t>(count);
  }
}

}  // namespace

LineSource::LineSource(asio::io_context& io, int descriptor) : descriptor_(descriptor), watched_(io) {
  if (!is_pollable(descriptor)) return;
  std::error_code failure;
  (void)watched_.assign(descriptor, failure);
  is_watchable_ = !failure;
}

LineSource::~LineSource() {
  if (is_watchable_) watched_.release();
}

std::optional<std::string> LineSource::take_line() {
  const auto end = buffer_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = buffer_.size();
    if (!is_at_end_ || buffer_.empty()) return std::nullopt;
    searched_ = 0;
    return std::exchange(buffer_, {});
  }
  std::string line = buffer_.substr(0, end);
  if (line.ends_with('\r')) line.pop_back();
  buffer_.erase(0, end + 1);
  searched_ = 0;
  return line;
}

Task<Result<std::optional<std::string>>> LineSource::next() {
  for (;;) {
    if (auto line = take_line()) co_return line;
    if (is_at_end_) co_return std::nullopt;
    if (buffer_.size() > kMaxLineBytes)
      co_return fail(ErrorCode::too_large, "a line of the input is longer than 8 MiB");
    if (is_watchable_) {
      // Waiting, not reading, through asio: reading would switch the terminal to non-blocking for everybody.
      co_await watched_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    }
    const Result<std::size_t> count = read_some(descriptor_, buffer_);
    if (!count) co_return fail(count.error());
    is_at_end_ = *count == 0;
  }
}

Result<std::string> read_all(int descriptor, std::size_t max_bytes) {
  std::string text;
  for (;;) {
    const Result<std::size_t> count = read_some(descriptor, text);
    if (!count) return fail(count.error());
    if (*count == 0) return text;
    if (text.size() > max_bytes) return fail(ErrorCode::too_large, "the input is larger than a message may be");
  }
}

}  // namespace parley::cli
