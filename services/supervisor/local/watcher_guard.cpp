#include "services/supervisor/local/watcher_guard.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "monitoring/log.hpp"
#include "services/supervisor/local/suite_files.hpp"

namespace parley::supervisor {

WatcherGuard::WatcherGuard(asio::io_context& io, std::filesystem::path folder, std::vector<std::string> command,
                           std::function<void()> on_gone)
    : io_(io), folder_(std::move(folder)), command_(std::move(command)), on_gone_(std::move(on_gone)), retry_(io) {}

WatcherGuard::~WatcherGuard() = default;

void WatcherGuard::start() {
  const std::optional<ProcessId> watcher = read_watcher(folder_);
  watcher_ = watcher ? ChildProcess::adopt(*watcher) : std::nullopt;
  watcher_ ? watch() : replace();
}

void WatcherGuard::stop() {
  is_stopped_ = true;
  end_.reset();
  retry_.cancel();
}

void WatcherGuard::watch() {
  end_.emplace(io_, ::dup(watcher_->descriptor()));
  end_->async_wait(asio::posix::stream_descriptor::wait_read, [this](std::error_code failure) {
    if (failure || is_stopped_) return;
    (void)watcher_->poll_end();
    watcher_.reset();
    replace();
  });
}

void WatcherGuard::replace() {
  if (command_.empty()) return on_gone_();
  LaunchOptions options;
  options.command = command_;
  options.log = folder_ / "up.log";
  options.has_own_session = true;
  Result<ChildProcess> started = ChildProcess::start(options);
  if (started) {
    spdlog::warn("event=watcher_restarted pid={}", started->id().pid);
    watcher_ = std::move(*started);
    return watch();
  }
  spdlog::error("event=watcher_not_started reason={}", monitoring::log_text(started.error().message));
  retry_.expires_after(kRetry);
  retry_.async_wait([this](std::error_code failure) {
    if (!failure && !is_stopped_) replace();
  });
}

}  // namespace parley::supervisor
