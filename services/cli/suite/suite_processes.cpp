#include "services/cli/suite/suite_processes.hpp"

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <deque>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ranges>
#include <spdlog/fmt/fmt.h>

#include "services/cli/suite/child_process.hpp"

namespace parley::cli {
namespace {

constexpr std::size_t kKeptLines = 8;
constexpr std::size_t kMaxLineBytes = 64 * 1024;

/// Daemons say on one line of JSON that they are ready.
bool is_ready_line(const std::string& line) {
  if (!line.starts_with('{')) return false;
  const auto json = nlohmann::json::parse(line, nullptr, false);
  return json.is_object() && json.value("event", nlohmann::json()) == "ready";
}

/// Keeps a timer in a list for as long as somebody waits for it, also when the wait ends by an exception.
class Listed {
 public:
  Listed(std::vector<asio::steady_timer*>& list, asio::steady_timer& timer) : list_(list), timer_(timer) {
    list_.push_back(&timer);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() { std::erase(list_, &timer_); }

 private:
  std::vector<asio::steady_timer*>& list_;
  asio::steady_timer& timer_;
};

}  // namespace

struct SuiteProcesses::Child {
  Child(asio::io_context& io, ProcessPlan its_plan, ChildProcess started, const std::filesystem::path& log_file)
      : plan(std::move(its_plan)), process(std::move(started)), output(io, process.take_output()), log(log_file) {}

  ProcessPlan plan;
  ChildProcess process;
  asio::posix::stream_descriptor output;
  std::ofstream log;
  std::string unfinished_line;
  std::deque<std::string> last_lines;
  bool is_ready = false;
  bool is_output_over = false;
  bool is_stopping = false;

  [[nodiscard]] bool has_ended() { return process.poll_exit().has_value(); }
};

SuiteProcesses::SuiteProcesses(asio::io_context& io, const Clock& clock, const RunDirectory& directory)
    : io_(io), clock_(clock), directory_(directory), child_signals_(io, SIGCHLD) {}

SuiteProcesses::~SuiteProcesses() = default;

template <class Condition>
Task<bool> SuiteProcesses::wait_until(Condition condition, TimePoint deadline) {
  while (!condition()) {
    if (clock_.now() >= deadline) co_return false;
    asio::steady_timer timer(io_, deadline);
    const Listed listed(waiting_, timer);
    std::error_code woken;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  co_return true;
}

void SuiteProcesses::wake_all() {
  for (asio::steady_timer* timer : waiting_) timer->cancel();
}

Task<> SuiteProcesses::reap() {
  std::error_code failure;
  while (!failure) {
    co_await child_signals_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    wake_all();
  }
}

void SuiteProcesses::take_line(Child& child, std::string line) {
  child.log << line << '\n' << std::flush;
  if (on_line_) on_line_(child.plan.name, line);
  if (is_ready_line(line)) {
    child.is_ready = true;
    wake_all();
  }
  child.last_lines.push_back(std::move(line));
  if (child.last_lines.size() > kKeptLines) child.last_lines.pop_front();
}

Task<> SuiteProcesses::pump(std::shared_ptr<Child> child, SuiteProcesses& suite) {
  std::array<char, 4096> chunk;
  for (;;) {
    std::error_code failure;
    const std::size_t count =
        co_await child->output.async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, failure));
    if (failure) break;
    std::string& text = child->unfinished_line;
    text.append(chunk.data(), count);
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      suite.take_line(*child, text.substr(0, end));
      text.erase(0, end + 1);
    }
    if (text.size() > kMaxLineBytes) suite.take_line(*child, std::exchange(text, {}));
  }
  if (!child->unfinished_line.empty()) suite.take_line(*child, std::exchange(child->unfinished_line, {}));
  child->is_output_over = true;
  suite.wake_all();
}

Error SuiteProcesses::failure_of(Child& child, std::string_view when) const {
  const auto& exit = child.process.poll_exit();
  const bool is_broker = &child == children_.front().get();
  ErrorCode code = is_broker ? ErrorCode::broker_lost : ErrorCode::worker_lost;
  if (!child.is_ready) code = exit && exit->code == 2 ? ErrorCode::bad_configuration : ErrorCode::activation_failed;
  std::string text =
      fmt::format("process '{}' {}: {}; log: {}", child.plan.name, when,
                  exit ? exit->str() : std::string("it is still running"), directory_.log_of(child.plan.name).string());
  for (const std::string& line : child.last_lines) text += "\n  " + line;
  return {code, std::move(text)};
}

Task<Result<>> SuiteProcesses::start_one(const ProcessPlan& plan) {
  Result<ChildProcess> started = ChildProcess::start(plan.command);
  if (!started) co_return fail(started.error());
  const auto child = std::make_shared<Child>(io_, plan, std::move(*started), directory_.log_of(plan.name));
  children_.push_back(child);
  asio::co_spawn(io_, pump(child, *this), asio::detached);
  const auto is_decided = [this, &child] { return child->is_ready || is_interrupted_ || child->has_ended(); };
  const bool is_in_time = co_await wait_until(is_decided, clock_.now() + kReadyTimeout);
  if (child->is_ready) {
    if (on_ready_) on_ready_(plan);
    co_return Result<>{};
  }
  if (is_interrupted_) co_return fail(ErrorCode::cancelled, "interrupted while starting");
  if (!is_in_time) co_return fail(failure_of(*child, "did not become ready in time"));
  // What it said last explains why it ended.
  (void)co_await wait_until([&child] { return child->is_output_over; }, clock_.now() + std::chrono::seconds(1));
  co_return fail(failure_of(*child, "ended before it was ready"));
}

Task<Result<>> SuiteProcesses::start(std::vector<ProcessPlan> plan) {
  if (!std::exchange(is_reaping_, true)) asio::co_spawn(io_, reap(), asio::detached);
  for (const ProcessPlan& process : plan) {
    Result<> started = co_await start_one(process);
    if (!started) {
      co_await stop();
      co_return started;
    }
  }
  co_return Result<>{};
}

Task<Error> SuiteProcesses::wait_for_failure() {
  const auto find_ended = [this]() -> Child* {
    for (const auto& child : children_) {
      if (!child->is_stopping && child->has_ended()) return child.get();
    }
    return nullptr;
  };
  (void)co_await wait_until([&] { return is_interrupted_ || find_ended() != nullptr; }, TimePoint::max());
  if (is_interrupted_) co_return Error(ErrorCode::cancelled, "interrupted");
  Child* ended = find_ended();
  (void)co_await wait_until([ended] { return ended->is_output_over; }, clock_.now() + std::chrono::seconds(1));
  co_return failure_of(*ended, "ended by itself");
}

Task<> SuiteProcesses::stop() {
  for (const auto& child : children_) child->is_stopping = true;
  for (const auto& child : children_ | std::views::reverse) {
    child->process.send_signal(SIGTERM);
    const bool has_ended = co_await wait_until([&child] { return child->has_ended(); }, clock_.now() + kStopTimeout);
    if (has_ended) continue;
    child->process.send_signal(SIGKILL);
    (void)co_await wait_until([&child] { return child->has_ended(); }, clock_.now() + kStopTimeout);
  }
}

void SuiteProcesses::interrupt() {
  is_interrupted_ = true;
  wake_all();
}

}  // namespace parley::cli
