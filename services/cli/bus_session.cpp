#include "services/cli/bus_session.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/signal_set.hpp>
#include <asio/this_coro.hpp>
#include <csignal>
#include <cstdlib>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "libmsg/runtime/worker_runtime.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/top/terminal.hpp"

namespace parley::cli {
namespace {

constexpr std::chrono::milliseconds kConnectTimeout{5000};
/// Enough for a broker that is there, so that the first picture has something to show.
constexpr std::chrono::milliseconds kNoPatience{300};
/// For the last frames after the work; nothing of value is under way any more.
constexpr std::chrono::milliseconds kGoodbyeTime{500};

/// Signals this close together are one request: timeout(1), for one, signals the process and then its group.
constexpr std::chrono::milliseconds kSameRequest{300};

/// Somebody started us with nohup: the end of the terminal is not to end us.
bool is_hangup_ignored() {
  struct sigaction present{};
  return ::sigaction(SIGHUP, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

/// The whole life of a session: connect, work, goodbye.
struct Session {
  const Environment& environment;
  const BusOptions& options;
  const std::vector<std::string>& endpoints;
  const BusWork& work;
  Bus& bus;
  const bool& is_interrupted;

  Task<int> run() {
    int code = kInterrupted;
    try {
      code = co_await connect_and_work();
    } catch (const std::exception&) {
      // After Ctrl-C: asio's operation_aborted, or its multiple_exceptions when two waits were aborted together.
      if (!is_interrupted) throw;
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await bus.runtime.stop(kGoodbyeTime);
    co_return is_interrupted ? kInterrupted : code;
  }

 private:
  Task<int> connect_and_work() {
    const auto patience =
        options.works_without_broker ? kNoPatience : environment.common.timeout.value_or(kConnectTimeout);
    const Result<> started = co_await bus.runtime.start(patience);
    const bool may_work = started || (options.works_without_broker && started.error().code == ErrorCode::unreachable);
    if (may_work) co_return co_await work(bus);
    co_return is_interrupted ? kInterrupted : refuse(started.error(), patience);
  }

  [[nodiscard]] int refuse(const Error& error, std::chrono::milliseconds patience) const {
    if (error.code != ErrorCode::unreachable) return environment.console.fail(error);
    const Error explained = no_broker_answers(endpoints, patience);
    return options.on_unreachable ? options.on_unreachable(explained) : environment.console.fail(explained);
  }
};

}  // namespace

std::chrono::milliseconds Bus::time_left() const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.now());
  return std::max(left, std::chrono::milliseconds(1));
}

int run_until_done(asio::io_context& io, Task<int> work, const std::function<AtSignal(int signal)>& on_signal) {
  int code = kFailed;
  asio::cancellation_signal cancel;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  if (!is_hangup_ignored()) signals.add(SIGHUP);
  const SystemClock clock;
  std::optional<TimePoint> first;
  std::function<void(std::error_code, int)> take = [&](std::error_code failure, int signal) {
    if (failure) return;
    if (!first) {
      first = clock.now();
      if (on_signal(signal) == AtSignal::cancel) cancel.emit(asio::cancellation_type::terminal);
    } else if (clock.now() - *first > kSameRequest) {
      // Whoever asks twice does not want to wait for a clean end.
      top::restore_terminal();
      ::_exit(kInterrupted);
    }
    signals.async_wait(take);
  };
  signals.async_wait(take);
  std::exception_ptr defect;
  asio::co_spawn(io, std::move(work),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr thrown, int result) {
                   defect = thrown;
                   code = result;
                   io.stop();
                 }));
  io.run();
  if (defect) std::rethrow_exception(defect);
  return code;
}

int run_on_bus(const Environment& environment, BusOptions options, const BusWork& work) {
  const SystemClock clock;
  SystemRandom random;
  asio::io_context io(1);
  const auto endpoints = options.endpoints.empty() ? broker_endpoints(environment.common) : options.endpoints;
  WorkerRuntimeOptions runtime_options;
  runtime_options.name = fmt::format("parley {} (pid {})", options.purpose, ::getpid());
  runtime_options.brokers = endpoints;
  runtime_options.is_insecure_allowed = environment.common.is_insecure_allowed;
  Result<std::unique_ptr<Runtime>> runtime = make_worker_runtime(io, std::move(runtime_options));
  if (!runtime) return environment.console.fail(runtime.error());

  const auto timeout = environment.common.timeout.value_or(options.default_timeout);
  Bus bus{io,    **runtime, (*runtime)->client(), environment.console, environment.common,
          clock, random,    clock.now() + timeout};
  bool is_interrupted = false;
  Session session{environment, options, endpoints, work, bus, is_interrupted};
  const auto on_signal = [&](int) {
    is_interrupted = true;
    // Ends what the work waits for; the cancellation ends the work itself.
    asio::co_spawn(io, bus.runtime.stop(kGoodbyeTime), asio::detached);
    return AtSignal::cancel;
  };
  return run_until_done(io, session.run(), on_signal);
}

}  // namespace parley::cli
