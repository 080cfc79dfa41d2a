// Runs one verb's work on the bus: connects, waits for the work, says goodbye; Ctrl-C ends all of it with 130. The work
// is a coroutine on the loop that this call runs. Main thread.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "services/cli/environment.hpp"

namespace parley::cli {

/// What the work of a verb gets. Lives until the work has ended.
struct Bus {
  asio::io_context& io;
  Runtime& runtime;
  Client& client;
  Console& console;
  const CommonOptions& common;
  const Clock& clock;
  Random& random;
  /// When `--timeout` is over, counted from the start of the program's work; `default_timeout` without the option.
  TimePoint deadline;

  [[nodiscard]] std::chrono::milliseconds time_left() const;
};

using BusWork = std::function<Task<int>(Bus&)>;

struct BusOptions {
  /// What this process is called in `parley ps`.
  std::string purpose;
  /// Used without `--timeout`.
  std::chrono::milliseconds default_timeout{5000};
  /// Instead of the endpoints that the options and the environment name.
  std::vector<std::string> endpoints = {};
  /// Reports an unreachable broker; the default prints the error and returns kUnreachable.
  std::function<int(const Error&)> on_unreachable = {};
  /// The work begins at once and looks for itself whether there is a connection.
  bool works_without_broker = false;
};

/// Returns the exit code: the work's own, kUnreachable, kBadUsage for a wrong endpoint, or kInterrupted.
int run_on_bus(const Environment& environment, BusOptions options, const BusWork& work);

/// What becomes of the work when the user wants it to end.
enum class AtSignal : std::uint8_t {
  cancel,      ///< the coroutine is cancelled where it waits
  keep_going,  ///< the work was told, and ends by itself
};

/// Runs `work` on `io` until it has ended and returns its result. On the first SIGINT, SIGTERM or SIGHUP asks
/// `on_signal` what to do; a second one ends the process at once.
int run_until_done(asio::io_context& io, Task<int> work, const std::function<AtSignal(int signal)>& on_signal);

}  // namespace parley::cli
