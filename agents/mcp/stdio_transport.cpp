#include "agents/mcp/stdio_transport.hpp"

#include <algorithm>
#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <deque>
#include <map>
#include <optional>
#include <spdlog/spdlog.h>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "monitoring/log.hpp"

namespace parley::mcp {

using monitoring::log_text;

namespace {

constexpr std::size_t kMaxLineBytes = std::size_t{32} * 1024 * 1024;
constexpr std::size_t kMaxQueuedBytes = std::size_t{8} * 1024 * 1024;
constexpr std::size_t kMaxLastWords = 1000;
/// A server that ran this long and then ended is not one that cannot start.
constexpr std::chrono::seconds kHealthyTime{30};

std::string line_of(const Json& message) { return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

/// One run of the server's process: its pipes, who waits for which answer.
class StdioTransport::Server : public std::enable_shared_from_this<Server> {
 public:
  Server(std::string name, ChildProcess process, const asio::any_io_executor& loop, TransportEvents events)
      : name_(std::move(name)),
        input_(loop, process.take_input()),
        output_(loop, process.take_output()),
        errors_(loop, process.take_errors()),
        process_(std::move(process)),
        loop_(loop),
        events_(std::move(events)) {}

  void run() {
    asio::co_spawn(loop_, read_output(shared_from_this()), asio::detached);
    asio::co_spawn(loop_, read_errors(shared_from_this()), asio::detached);
  }

  [[nodiscard]] bool is_over() const { return is_over_; }
  [[nodiscard]] std::string last_words() const {
    std::string text = ending_.empty() ? "the server has closed its output" : "the server ended with " + ending_;
    return last_words_.empty() ? text : text + "; its last words: " + last_words_;
  }

  /// Nobody hears of it any more; the process is killed with the last reference.
  void close() {
    events_ = {};
    asio::error_code ignored;
    input_.close(ignored);
    output_.close(ignored);
    errors_.close(ignored);
    end();
  }

  Result<> send(const Json& message) {
    if (is_over_) return fail(Error(ErrorCode::unreachable, last_words(), true));
    std::string line = line_of(message);
    if (queued_bytes_ + line.size() > kMaxQueuedBytes) {
      return fail(ErrorCode::overloaded, "the server does not read what it is sent");
    }
    queued_bytes_ += line.size();
    queue_.push_back(std::move(line));
    if (!std::exchange(is_writing_, true)) asio::co_spawn(loop_, write_queue(shared_from_this()), asio::detached);
    return {};
  }

  Task<Result<Json>> request(Json message, const Envelope& about, TimePoint now) {
    const auto id = message.at("id").get<std::uint64_t>();
    auto waiting = std::make_shared<Waiting>(loop_, about.on_progress);
    waiting_.emplace(id, waiting);
    /// On every way out, also when the coroutine is destroyed; the server hears of it when it has not answered.
    struct Forget {
      std::shared_ptr<Server> server;
      std::uint64_t id;
      ~Forget() {
        if (server->waiting_.erase(id) > 0) server->say_cancelled(id);
      }
    };
    const Forget forget{shared_from_this(), id};
    const Result<> sent = send(message);
    if (!sent) co_return fail(sent.error());
    waiting->signal.expires_after(std::max(about.deadline - now, Duration::zero()));
    asio::error_code error;
    co_await waiting->signal.async_wait(asio::redirect_error(asio::use_awaitable, error));
    const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
      co_return fail(ErrorCode::cancelled, "the call was cancelled");
    }
    if (waiting->answer) co_return std::move(*waiting->answer);
    if (is_over_) co_return fail(Error(ErrorCode::unreachable, last_words(), true));
    co_return fail(ErrorCode::timeout, "the server did not answer in time");
  }

 private:
  struct Waiting {
    Waiting(const asio::any_io_executor& loop, std::function<void()> progress)
        : signal(loop), on_progress(std::move(progress)) {}
    asio::steady_timer signal;
    std::function<void()> on_progress;
    std::optional<Json> answer;
  };

  static Task<> read_output(std::shared_ptr<Server> self) {
    std::array<char, 65536> buffer{};
    std::string line;
    for (;;) {
      asio::error_code error;
      const std::size_t count = co_await self->output_.async_read_some(
          asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
      if (error || count == 0) break;
      std::string_view bytes(buffer.data(), count);
      for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        line += bytes.substr(0, end);
        bytes.remove_prefix(end + 1);
        self->take_line(std::exchange(line, {}));
      }
      line += bytes;
      if (line.size() > kMaxLineBytes) {
        spdlog::warn("event=mcp_line_too_long server={}", log_text(self->name_));
        break;
      }
    }
    self->end();
  }

  static Task<> read_errors(std::shared_ptr<Server> self) {
    std::array<char, 4096> buffer{};
    for (;;) {
      asio::error_code error;
      const std::size_t count = co_await self->errors_.async_read_some(
          asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
      if (error || count == 0) co_return;
      const std::string_view text(buffer.data(), count);
      spdlog::debug("event=mcp_server_says server={} text={}", log_text(self->name_), log_text(text));
      self->last_words_ += text;
      if (self->last_words_.size() > kMaxLastWords) {
        self->last_words_.erase(0, self->last_words_.size() - kMaxLastWords);
      }
    }
  }

  static Task<> write_queue(std::shared_ptr<Server> self) {
    while (!self->queue_.empty() && !self->is_over_) {
      const std::string line = std::move(self->queue_.front());
      self->queue_.pop_front();
      asio::error_code error;
      co_await asio::async_write(self->input_, asio::buffer(line), asio::redirect_error(asio::use_awaitable, error));
      self->queued_bytes_ -= line.size();
      if (error) self->end();
    }
    self->is_writing_ = false;
  }

  void take_line(const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return;
    const std::optional<Json> message = llm::parse_json(line);
    if (!message || !message->is_object()) {
      spdlog::debug("event=mcp_noise server={} text={}", log_text(name_), log_text(line.substr(0, kMaxLastWords)));
      return;
    }
    const std::string_view method = llm::text_member(*message, "method");
    if (!method.empty()) return take_call(*message, method);
    const std::optional<std::uint64_t> id = llm::count_member(*message, "id");
    const auto found = id ? waiting_.find(*id) : waiting_.end();
    if (found == waiting_.end()) return;  // nobody waits any more
    const std::shared_ptr<Waiting> waiting = found->second;
    waiting_.erase(found);
    waiting->answer = *message;
    waiting->signal.cancel();
  }

  /// A request or a notification of the server.
  void take_call(const Json& message, std::string_view method) {
    if (method == "notifications/progress") {
      const auto id = llm::count_member(llm::member(message, "params"), "progressToken");
      const auto found = id ? waiting_.find(*id) : waiting_.end();
      if (found != waiting_.end() && found->second->on_progress) found->second->on_progress();
      return;
    }
    if (method == kToolsChanged && events_.on_tools_changed) return events_.on_tools_changed();
    if (!message.contains("id")) return;
    Json answer = {{"jsonrpc", "2.0"}, {"id", message["id"]}};
    if (method == "ping") {
      answer["result"] = Json::object();
    } else {
      answer["error"] = {{"code", kMethodNotFound}, {"message", "the client does not offer this"}};
    }
    static_cast<void>(send(answer));
  }

  void say_cancelled(std::uint64_t id) {
    if (is_over_) return;
    const Json params = {{"requestId", id}, {"reason", "nobody waits any more"}};
    static_cast<void>(send(make_notification("notifications/cancelled", params)));
  }

  void end() {
    if (std::exchange(is_over_, true)) return;
    ending_ = process_.ending();
    asio::error_code ignored;
    input_.close(ignored);
    for (const auto& [id, waiting] : waiting_) waiting->signal.cancel();
    if (events_.on_lost) events_.on_lost();
  }

  std::string name_;
  // Closed by end() before the process goes, whose destructor gives it some time to end by itself.
  asio::posix::stream_descriptor input_;
  asio::posix::stream_descriptor output_;
  asio::posix::stream_descriptor errors_;
  ChildProcess process_;
  asio::any_io_executor loop_;
  TransportEvents events_;
  std::map<std::uint64_t, std::shared_ptr<Waiting>> waiting_;
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  bool is_writing_ = false;
  bool is_over_ = false;
  std::string last_words_;
  std::string ending_;
};

StdioTransport::StdioTransport(std::string name, ChildOptions options, asio::any_io_executor loop, const Clock& clock,
                               Random& random)
    : name_(std::move(name)), options_(std::move(options)), loop_(std::move(loop)), clock_(clock), random_(random) {}

StdioTransport::~StdioTransport() {
  if (server_ != nullptr) server_->close();
}

std::uint64_t StdioTransport::connection() const {
  return server_ != nullptr && !server_->is_over() ? connections_ : 0;
}

Task<Result<>> StdioTransport::open() {
  const TimePoint now = clock_.now();
  if (server_ != nullptr) {
    if (!server_->is_over()) server_->close();
    failure_ = server_->last_words();
    spdlog::warn("event=mcp_server_ended server={} reason={}", log_text(name_), log_text(failure_));
    if (now - started_ > kHealthyTime) backoff_.reset();
    server_.reset();
    not_before_ = now + (backoff_.failures() == 0 ? Duration::zero() : Duration(backoff_.next(random_)));
    if (backoff_.failures() == 0) static_cast<void>(backoff_.next(random_));
  }
  if (now < not_before_) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(not_before_ - now);
    co_return fail(ErrorCode::unreachable,
                   failure_ + "; it is started again in " + std::to_string(wait.count()) + " ms");
  }
  Result<ChildProcess> process = ChildProcess::start(options_);
  if (!process) {
    not_before_ = now + backoff_.next(random_);
    failure_ = process.error().message;
    co_return fail(std::move(process).error());
  }
  started_ = now;
  ++connections_;
  spdlog::info("event=mcp_server_started server={} pid={}", log_text(name_), process->pid());
  server_ = std::make_shared<Server>(name_, std::move(*process), loop_, events_);
  server_->run();
  co_return Result<>{};
}

Task<Result<Json>> StdioTransport::request(Json message, const Envelope& about) {
  const std::shared_ptr<Server> server = server_;
  if (server == nullptr) co_return fail(ErrorCode::unreachable, "the server does not run");
  co_return co_await server->request(std::move(message), about, clock_.now());
}

Task<Result<>> StdioTransport::notify(Json message, const Envelope& /*about*/) {
  if (server_ == nullptr) co_return fail(ErrorCode::unreachable, "the server does not run");
  co_return server_->send(message);
}

}  // namespace parley::mcp
