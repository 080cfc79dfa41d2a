#include "agents/sandbox/sandbox_run.hpp"

#include <algorithm>
#include <asio/buffer.hpp>
#include <cerrno>
#include <charconv>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <utility>

#include "agents/sandbox/bwrap_command.hpp"
#include "agents/sandbox/process_usage.hpp"

namespace parley::sandbox {
namespace {

/// To make namespaces and mounts; some milliseconds on an idle machine.
constexpr std::chrono::seconds kSetUpTime{20};
/// Killed processes are gone at once, unless the kernel hangs.
constexpr std::chrono::seconds kKillTime{20};
constexpr std::chrono::milliseconds kLookInterval{100};

std::optional<pid_t> first_process(std::string_view status) {
  constexpr std::string_view kField = "\"child-pid\":";
  const std::size_t at = status.find(kField);
  if (at == std::string_view::npos) return std::nullopt;
  status.remove_prefix(at + kField.size());
  status.remove_prefix(std::min(status.find_first_not_of(' '), status.size()));
  pid_t pid = 0;
  const auto [end, failure] = std::from_chars(status.data(), status.data() + status.size(), pid);
  // More digits may follow in the next piece.
  if (failure != std::errc() || end == status.data() + status.size()) return std::nullopt;
  return pid;
}

/// The loop may wake for a descriptor although nothing has happened to it: an event of another that had its number
/// before.
bool is_readable(int descriptor) {
  pollfd wanted{descriptor, POLLIN, 0};
  return ::poll(&wanted, 1, 0) == 1;
}

std::uint64_t entries_of(int folder) {
  struct statfs about{};
  if (::fstatfs(folder, &about) != 0) return 0;
  return about.f_files - about.f_ffree;
}

}  // namespace

SandboxRun::SandboxRun(asio::any_io_executor executor, RunPlan plan, SandboxedProcess process)
    : executor_(std::move(executor)),
      plan_(std::move(plan)),
      process_(std::move(process)),
      watch_(plan_.limits),
      out_(watched(process_.out)),
      err_(watched(process_.err)),
      control_(watched(process_.control)),
      status_(watched(process_.status)),
      end_(watched(process_.end)),
      deadline_(executor_),
      looks_(executor_) {}

SandboxRun::Stream SandboxRun::watched(Descriptor& descriptor) const { return {executor_, descriptor.release()}; }

void SandboxRun::start(Resume<Result<RunResult>> done) {
  done_ = std::move(done);
  read(out_);
  read(err_);
  read_status();
  wait_for_control();
  wait_for_end();
  wait_until_set_up();
}

void SandboxRun::cancel() { stop(Error(ErrorCode::cancelled, "the run was cancelled")); }

void SandboxRun::read(Output& output) {
  output.stream.async_read_some(asio::buffer(output.piece), [self = shared_from_this(), &output](
                                                                const asio::error_code& failure, std::size_t bytes) {
    if (failure) {
      output.is_at_end = true;
      return self->finish_if_over();
    }
    output.kept.append(output.piece.data(), self->watch_.keep(output.kept.size(), bytes));
    if (self->watch_.broken() != Limit::none) self->stop(std::nullopt);
    self->read(output);
  });
}

void SandboxRun::read_status() {
  status_.async_read_some(asio::buffer(status_piece_),
                          [self = shared_from_this()](const asio::error_code& failure, std::size_t bytes) {
                            if (failure) return;
                            constexpr std::size_t kMaxStatus = 4096;
                            if (self->status_text_.size() < kMaxStatus) {
                              self->status_text_.append(self->status_piece_.data(), bytes);
                            }
                            self->begin_if_ready();
                            self->read_status();
                          });
}

void SandboxRun::wait_for_control() {
  control_.async_wait(Stream::wait_read, [self = shared_from_this()](const asio::error_code& failure) {
    if (failure) return;
    if (!is_readable(self->control_.native_handle())) return self->wait_for_control();
    char letter = 0;
    if (::read(self->control_.native_handle(), &letter, 1) != 1) return;
    self->is_set_up_ = true;
    self->begin_if_ready();
  });
}

void SandboxRun::wait_for_end() {
  end_.async_wait(Stream::wait_read, [self = shared_from_this()](const asio::error_code& failure) {
    if (failure) return;
    if (!is_readable(self->end_.native_handle())) return self->wait_for_end();
    self->exit_code_ = self->process_.reap();
    self->has_ended_ = true;
    self->stop(std::nullopt);
    self->finish_if_over();
  });
}

void SandboxRun::wait_for_first_end() {
  if (!first_end_) first_end_.emplace(executor_, ::dup(process_.first_end().get()));
  first_end_->async_wait(Stream::wait_read, [self = shared_from_this()](const asio::error_code& failure) {
    if (failure) return;
    if (!is_readable(self->first_end_->native_handle())) return self->wait_for_first_end();
    self->has_first_ended_ = true;
    self->finish_if_over();
  });
}

void SandboxRun::wait_until_set_up() {
  deadline_.expires_after(kSetUpTime);
  deadline_.async_wait([self = shared_from_this()](const asio::error_code& failure) {
    if (!failure) self->stop(Error(ErrorCode::upstream_failed, "the sandbox was not set up in time"));
  });
}

/// Both must have come: the word that all is mounted, and which process is the sandbox's first.
void SandboxRun::begin_if_ready() {
  if (!process_.first_end().is_open()) {
    const std::optional<pid_t> first = first_process(status_text_);
    if (!first || !process_.set_first(*first)) return;
    wait_for_first_end();
  }
  if (!is_set_up_ || has_begun_ || failure_) return;
  Result<> begun = begin();
  if (!begun) stop(std::move(begun).error());
}

/// Nothing that was sent to us runs yet: the work folder is filled, and the code starts.
Result<> SandboxRun::begin() {
  for (const char* path : {kWorkPath, kTmpPath, kSharedMemoryPath}) {
    Result<Descriptor> folder = process_.open_inside(path);
    if (!folder) return fail(std::move(folder).error());
    writable_.push_back(std::move(*folder));
  }
  Result<> filled = plan_.folder->put_into(writable_.front().get(), plan_.files, plan_.run_as);
  if (!filled) return filled;
  constexpr std::string_view kGo = "go\n";
  if (::send(control_.native_handle(), kGo.data(), kGo.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kGo.size())) {
    return fail(ErrorCode::upstream_failed, "the sandbox ended before its code began");
  }
  has_begun_ = true;
  deadline_.expires_after(plan_.limits.wall_time);
  deadline_.async_wait([self = shared_from_this()](const asio::error_code& failure) {
    if (failure) return;
    self->watch_.on_wall_time();
    self->stop(std::nullopt);
  });
  look();
  return {};
}

void SandboxRun::look() {
  looks_.expires_after(kLookInterval);
  looks_.async_wait([self = shared_from_this()](const asio::error_code& failure) {
    if (failure || self->has_ended_) return;
    const SandboxLimits& limits = self->plan_.limits;
    const ProcessUsage processes = measure_processes(self->process_.first(), limits.max_processes, limits.memory_bytes);
    Usage usage{processes.memory_bytes, processes.threads, 0};
    for (const Descriptor& folder : self->writable_) usage.entries = std::max(usage.entries, entries_of(folder.get()));
    self->watch_.on_usage(usage);
    if (self->watch_.broken() != Limit::none) return self->stop(std::nullopt);
    self->look();
  });
}

void SandboxRun::stop(std::optional<Error> why) {
  if (why && !failure_) failure_ = std::move(why);
  process_.kill();
  looks_.cancel();
  deadline_.expires_after(kKillTime);
  deadline_.async_wait([self = shared_from_this()](const asio::error_code& failure) {
    if (failure || !self->done_) return;
    auto done = std::exchange(self->done_, {});
    done(fail(ErrorCode::upstream_failed, "a process in the sandbox cannot be killed"));
  });
}

/// Whoever holds an end of the pipes lives in the sandbox, and when its first process has ended nobody does.
void SandboxRun::finish_if_over() {
  const bool is_first_gone = has_first_ended_ || !process_.first_end().is_open();
  if (!has_ended_ || !is_first_gone || !out_.is_at_end || !err_.is_at_end || !done_) return;
  looks_.cancel();
  deadline_.cancel();
  asio::error_code ignored;
  status_.close(ignored);
  control_.close(ignored);
  Result<RunResult> result = make_result();
  // Handlers that were cancelled just now may keep this object a little longer than its owner expects the folder to be.
  plan_.folder.reset();
  auto done = std::exchange(done_, {});
  done(std::move(result));
}

Error SandboxRun::set_up_failure() const {
  std::string said = err_.kept;
  while (!said.empty() && said.back() == '\n') said.pop_back();
  std::ranges::replace(said, '\n', ' ');
  if (said.empty()) said = "it ended with " + std::to_string(exit_code_);
  return {ErrorCode::bad_configuration, "the sandbox cannot be set up: " + said};
}

Result<RunResult> SandboxRun::make_result() {
  if (failure_) return fail(*failure_);
  if (!has_begun_) return fail(set_up_failure());
  RunResult result;
  watch_.on_exit(exit_code_);
  result.exit_code = exit_code_;
  result.out = std::move(out_.kept);
  result.err = std::move(err_.kept);
  result.is_truncated = watch_.is_truncated();
  result.limit = watch_.broken();
  Result<> taken = plan_.folder->take_from(writable_.front().get(), plan_.limits, result);
  if (!taken) return fail(std::move(taken).error());
  return result;
}

}  // namespace parley::sandbox
