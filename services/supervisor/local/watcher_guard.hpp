// Keeps the process alive that keeps the supervisor alive: when the `parley up` of this suite is killed, starts another
// in the background (or, when there is no command for that, says that it is gone). Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "services/supervisor/local/child_process.hpp"

namespace parley::supervisor {

class WatcherGuard {
 public:
  static constexpr std::chrono::milliseconds kRetry{1000};

  /// `on_gone` is called once when the watcher has ended and `command` is empty.
  WatcherGuard(asio::io_context& io, std::filesystem::path folder, std::vector<std::string> command,
               std::function<void()> on_gone);
  WatcherGuard(const WatcherGuard&) = delete;
  WatcherGuard& operator=(const WatcherGuard&) = delete;
  ~WatcherGuard();

  void start();
  void stop();

 private:
  void watch();
  void replace();

  asio::io_context& io_;
  std::filesystem::path folder_;
  std::vector<std::string> command_;
  std::function<void()> on_gone_;
  std::optional<ChildProcess> watcher_;
  std::optional<asio::posix::stream_descriptor> end_;
  asio::steady_timer retry_;
  bool is_stopped_ = false;
};

}  // namespace parley::supervisor
