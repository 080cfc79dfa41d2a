#include "services/cli/feed.hpp"

#include <asio/experimental/channel.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libmsg/runtime/run_all.hpp"
#include "services/cli/line_source.hpp"

namespace parley::cli {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};

/// An open file, or standard input borrowed.
class InputFile {
 public:
  static Result<InputFile> open(const std::string& path) {
    if (path == "-") return InputFile(STDIN_FILENO, false, 0);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
      return fail(ErrorCode::bad_configuration, fmt::format("cannot open {}: {}", path, std::strerror(errno)));
    InputFile file(descriptor, true, 0);
    struct stat about{};
    if (::fstat(descriptor, &about) != 0 || S_ISDIR(about.st_mode)) {
      return fail(ErrorCode::bad_configuration, fmt::format("cannot read {}: it is a directory", path));
    }
    if (S_ISREG(about.st_mode)) file.size_ = static_cast<std::uint64_t>(about.st_size);
    return file;
  }
  InputFile(InputFile&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), is_owned_(other.is_owned_), size_(other.size_) {}
  InputFile& operator=(InputFile&&) = delete;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() {
    if (is_owned_ && descriptor_ >= 0) ::close(descriptor_);
  }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  InputFile(int descriptor, bool is_owned, std::uint64_t size)
      : descriptor_(descriptor), is_owned_(is_owned), size_(size) {}
  int descriptor_;
  bool is_owned_;
  std::uint64_t size_;
};

struct Line {
  std::uint64_t number = 0;    ///< in the file, from 1; 0: there are no more lines
  std::uint64_t position = 0;  ///< among the lines that are sent, from 0
  std::string text;
};

/// One coroutine reads, `concurrency` others send what it has read.
class Feeding {
 public:
  Feeding(Bus& bus, const FeedOptions& options, const FeedLine& send, const InputFile& file)
      : bus_(bus),
        send_(send),
        source_(bus.io, file.descriptor()),
        pacer_(bus.clock.now(), options.rate),
        total_bytes_(file.size()),
        concurrency_(options.concurrency),
        lines_(bus.io, options.concurrency) {}

  Task<> read_lines() {
    std::uint64_t number = 0;
    std::uint64_t position = 0;
    for (;;) {
      Result<std::optional<std::string>> text = co_await source_.next();
      if (!text) failure_ = text.error();
      if (!text || !*text) break;
      ++number;
      done_bytes_ += (*text)->size() + 1;
      if ((*text)->find_first_not_of(" \t\r") == std::string::npos) continue;
      Line line{number, position++, std::move(**text)};
      co_await lines_.async_send(std::error_code{}, std::move(line), asio::use_awaitable);
    }
    // One for each sender: closing the channel would lose the lines that wait in it.
    for (std::uint64_t i = 0; i < concurrency_; ++i) {
      Line end;
      co_await lines_.async_send(std::error_code{}, std::move(end), asio::use_awaitable);
    }
  }

  Task<> send_lines() {
    for (;;) {
      Line line = co_await lines_.async_receive(asio::use_awaitable);
      if (line.number == 0) co_return;
      const TimePoint due = pacer_.due(line.position);
      if (due > bus_.clock.now()) {
        asio::steady_timer timer(bus_.io, due);
        co_await timer.async_wait(asio::use_awaitable);
      }
      const Result<> done = co_await send_(line.number, std::move(line.text));
      summary_.sent++;
      if (!done) summary_.failures[to_string(done.error().code)]++;
      show_progress();
    }
  }

  [[nodiscard]] Result<FeedSummary> result() const {
    if (failure_) return fail(*failure_);
    return summary_;
  }

 private:
  void show_progress() {
    const TimePoint now = bus_.clock.now();
    if (now < next_progress_) return;
    next_progress_ = now + kProgressInterval;
    bus_.console.status(render_progress(done_bytes_, total_bytes_, summary_, bus_.console.style().width - 1));
  }

  Bus& bus_;
  const FeedLine& send_;
  LineSource source_;
  Pacer pacer_;
  std::uint64_t total_bytes_;
  std::uint64_t concurrency_;
  asio::experimental::channel<void(std::error_code, Line)> lines_;
  FeedSummary summary_;
  std::uint64_t done_bytes_ = 0;
  std::optional<Error> failure_;
  TimePoint next_progress_{};
};

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

}  // namespace

std::uint64_t FeedSummary::failed() const {
  std::uint64_t sum = 0;
  for (const auto& [code, count] : failures) sum += count;
  return sum;
}

TimePoint Pacer::due(std::uint64_t number) const {
  if (rate_ == 0) return start_;
  const std::uint64_t seconds = number / rate_;
  const std::uint64_t rest = number % rate_;
  return start_ + std::chrono::seconds(seconds) + std::chrono::nanoseconds(rest * 1'000'000'000U / rate_);
}

std::string render_progress(std::uint64_t done_bytes, std::uint64_t total_bytes, const FeedSummary& summary,
                            std::size_t width) {
  std::string counts = grouped(summary.sent) + " sent";
  if (summary.failed() > 0) counts += fmt::format(", {} failed", grouped(summary.failed()));
  if (total_bytes == 0) return counts.substr(0, width);
  const std::uint64_t done = std::min(done_bytes, total_bytes);
  const std::string tail = fmt::format("  {:3} %  {}", done * 100 / total_bytes, counts);
  if (tail.size() + 8 > width) return counts.substr(0, width);
  const std::size_t room = std::min<std::size_t>(width - tail.size() - 2, 40);
  const std::size_t filled = done * room / total_bytes;
  return "[" + std::string(filled, '#') + std::string(room - filled, '-') + "]" + tail;
}

Task<Result<FeedSummary>> feed(Bus& bus, const FeedOptions& options, const FeedLine& line) {
  Result<InputFile> file = InputFile::open(options.file.value_or("-"));
  if (!file) co_return fail(file.error());
  Feeding feeding(bus, options, line, *file);
  std::vector<Task<>> tasks;
  tasks.push_back(feeding.read_lines());
  for (std::uint64_t i = 0; i < options.concurrency; ++i) tasks.push_back(feeding.send_lines());
  co_await run_all(bus.io.get_executor(), std::move(tasks));
  co_return feeding.result();
}

}  // namespace parley::cli
