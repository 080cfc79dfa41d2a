#include "services/cli/suite/supervised_suite.hpp"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <ranges>
#include <spdlog/fmt/fmt.h>

namespace parley::cli {
namespace {

using supervisor::ProcessRecord;
using supervisor::ProcessState;

constexpr const char* kSupervisor = "supervisor";
/// While something is awaited, and while everything runs.
constexpr std::chrono::milliseconds kEagerLook{5};
constexpr std::chrono::milliseconds kCalmLook{50};
/// A supervisor that lives this long is not in a crash loop.
constexpr std::chrono::seconds kHealthy{10};

}  // namespace

supervisor::LaunchOptions supervisor_launch(const std::filesystem::path& folder,
                                            const std::filesystem::path& program_folder) {
  supervisor::LaunchOptions options;
  options.command = {(program_folder / "parley-supervisor").string(), "--run-dir", folder.string()};
  options.log = folder / (std::string(kSupervisor) + ".log");
  // No terminal reaches it: Ctrl-C is for whoever watches it.
  options.has_own_session = true;
  return options;
}

void kill_suite(const std::filesystem::path& folder) {
  const auto state = supervisor::read_state(folder);
  if (!state) return;
  std::vector<supervisor::ProcessId> processes{state->supervisor};
  for (const ProcessRecord& record : state->processes) {
    processes.push_back(record.id);
    const auto marked = supervisor::find_by_environment(supervisor::process_mark(folder, record.view.name));
    processes.insert(processes.end(), marked.begin(), marked.end());
  }
  for (const supervisor::ProcessId& process : processes) {
    if (const auto child = supervisor::ChildProcess::adopt(process)) child->kill_group();
  }
  std::error_code ignored;
  std::filesystem::remove(folder / supervisor::kStateFile, ignored);
}

SupervisedSuite::SupervisedSuite(asio::io_context& io, const Clock& clock, std::filesystem::path folder,
                                 std::filesystem::path program_folder)
    : io_(io), clock_(clock), folder_(std::move(folder)), program_folder_(std::move(program_folder)) {}

void SupervisedSuite::set_on_line(std::function<void(const std::string&, const std::string&)> on_line) {
  on_line_ = std::move(on_line);
}

Result<> SupervisedSuite::start(const supervisor::SuitePlan& plan) {
  std::error_code ignored;
  std::filesystem::remove(folder_ / supervisor::kStateFile, ignored);
  const auto begin_log = [&](const std::string& process) {
    const auto file = folder_ / (process + ".log");
    std::filesystem::remove(file, ignored);
    logs_.emplace_back(process, supervisor::LogTail(file, 0));
  };
  begin_log(kSupervisor);
  for (const supervisor::PlannedProcess& process : plan.processes) begin_log(process.name);
  if (Result<> written = supervisor::write_plan(folder_, plan); !written) return written;
  return launch();
}

bool SupervisedSuite::attach() {
  const auto state = supervisor::read_state(folder_);
  if (!state) return false;
  supervisor_ = supervisor::ChildProcess::adopt(state->supervisor);
  return supervisor_ || launch();
}

Result<> SupervisedSuite::launch(const std::vector<std::string>& flags) {
  supervisor::LaunchOptions options = supervisor_launch(folder_, program_folder_);
  options.command.insert(options.command.end(), flags.begin(), flags.end());
  Result<supervisor::ChildProcess> started = supervisor::ChildProcess::start(options);
  if (!started) return fail(started.error());
  supervisor_.reset();
  supervisor_.emplace(std::move(*started));
  supervisor_end_.reset();
  return {};
}

Task<> SupervisedSuite::pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(io_, time);
  co_await timer.async_wait(asio::use_awaitable);
  show_lines();
}

void SupervisedSuite::show_lines() {
  if (!on_line_) return;
  for (auto& [process, log] : logs_) {
    log.read([&](const std::string& line) { on_line_(process, line); });
  }
}

bool SupervisedSuite::has_supervisor_ended() {
  if (!supervisor_) return true;
  if (!supervisor_end_) supervisor_end_ = supervisor_->poll_end();
  return supervisor_end_.has_value();
}

Error SupervisedSuite::failure_of(const ProcessRecord& record, std::string_view when) const {
  ErrorCode code = record.view.role == supervisor::Role::broker ? ErrorCode::broker_lost : ErrorCode::worker_lost;
  if (!record.view.has_been_ready) {
    code = record.is_hopeless ? ErrorCode::bad_configuration : ErrorCode::activation_failed;
  }
  const std::string log = (folder_ / (record.view.name + ".log")).string();
  const std::string problem = record.problem.empty() ? record.view.reason : record.problem;
  const auto first_line = problem.find('\n');
  std::string text =
      fmt::format("process '{}' {}: {}; log: {}", record.view.name, when, problem.substr(0, first_line), log);
  if (first_line != std::string::npos) text += problem.substr(first_line);
  return {code, std::move(text)};
}

Error SupervisedSuite::supervisor_failure() const {
  const bool is_wrong = supervisor_end_ && supervisor_end_->is_hopeless();
  supervisor::LogTail log(folder_ / (std::string(kSupervisor) + ".log"), 0);
  log.read([](const std::string&) {});
  std::string text = fmt::format("the supervisor ended: {}", supervisor_end_ ? supervisor_end_->str() : "unknown end");
  for (const std::string& line : log.last_lines()) text += "\n  " + line;
  return {is_wrong ? ErrorCode::bad_configuration : ErrorCode::activation_failed, std::move(text)};
}

Task<Result<>> SupervisedSuite::wait_until_up() {
  for (;;) {
    if (is_interrupted_) co_return fail(ErrorCode::cancelled, "interrupted while starting");
    const auto state = supervisor::read_state(folder_);
    if (has_supervisor_ended()) co_return fail(supervisor_failure());
    bool is_up = state.has_value();
    for (const ProcessRecord& record : state ? state->processes : std::vector<ProcessRecord>{}) {
      if (record.view.has_been_ready && ready_.insert(record.view.name).second && on_ready_) {
        on_ready_(record.view.name);
      }
      if (record.view.has_failed && !record.view.has_been_ready) {
        co_return fail(failure_of(record, "ended before it was ready"));
      }
      is_up = is_up && record.view.has_been_ready;
    }
    if (is_up) co_return Result<>{};
    co_await pause(kEagerLook);
  }
}

Task<> SupervisedSuite::watch() {
  Backoff backoff({std::chrono::milliseconds(100), std::chrono::seconds(10)});
  TimePoint started = clock_.now();
  while (!is_interrupted_) {
    if (has_supervisor_ended()) {
      // It takes its state file along when it has stopped everything.
      if (!supervisor::read_state(folder_)) co_return;
      if (on_note_) {
        on_note_(fmt::format("the supervisor ended ({}) and is started again",
                             supervisor_end_ ? supervisor_end_->str() : "unknown end"));
      }
      if (clock_.now() - started >= kHealthy) backoff.reset();
      if (backoff.failures() > 0) {
        co_await pause(std::chrono::duration_cast<std::chrono::milliseconds>(backoff.next(random_)));
      } else {
        (void)backoff.next(random_);
      }
      started = clock_.now();
      if (const Result<> launched = launch(); !launched && on_note_) on_note_(launched.error().message);
    }
    co_await pause(kCalmLook);
  }
}

Task<Error> SupervisedSuite::wait_for_failure() {
  for (;;) {
    const auto state = supervisor::read_state(folder_);
    for (const ProcessRecord& record : state ? state->processes : std::vector<ProcessRecord>{}) {
      if (record.view.has_failed) co_return failure_of(record, "ended by itself");
    }
    if (has_supervisor_ended()) co_return supervisor_failure();
    co_await pause(kCalmLook);
  }
}

Task<> SupervisedSuite::stop() {
  const TimePoint deadline = clock_.now() + kStopTimeout;
  if (!has_supervisor_ended()) {
    supervisor_->send_signal(SIGTERM);
  } else if (supervisor::read_state(folder_)) {
    // It was killed in the last moment; another adopts its processes and stops them in good order.
    (void)launch({"--stop"});
  }
  while (!has_supervisor_ended() && clock_.now() < deadline) co_await pause(kEagerLook);
  // Also what a supervisor that was killed meanwhile has left.
  kill_suite(folder_);
  show_lines();
}

}  // namespace parley::cli
