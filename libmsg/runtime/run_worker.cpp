#include "libmsg/runtime/run_worker.hpp"

#include <asio/awaitable.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include "libmsg/runtime/run.hpp"
#include "libmsg/runtime/worker_runtime.hpp"

namespace parley {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadUsage = 2;
constexpr int kUnreachable = 3;

struct Arguments {
  WorkerRuntimeOptions runtime;
  std::chrono::seconds timeout{10};
};

int report(const Error& error, int exit_code) {
  std::fprintf(stderr, "error: %s: %s\n", to_string(error.code).c_str(), error.message.c_str());
  return exit_code;
}

Result<Arguments> read_arguments(int argc, char** argv, const std::string& name) {
  Arguments arguments;
  arguments.runtime.name = name;
  if (const char* const broker = std::getenv("PARLEY_BROKER")) arguments.runtime.brokers = {broker};
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--insecure") {
      arguments.runtime.is_insecure_allowed = true;
      continue;
    }
    if (words[i] != "--broker" && words[i] != "--timeout") {
      return fail(ErrorCode::bad_configuration, "unknown argument '" + std::string(words[i]) + "'");
    }
    if (i + 1 == words.size()) return fail(ErrorCode::bad_configuration, std::string(words[i]) + " needs a value");
    const std::string_view value = words[++i];
    if (words[i - 1] == "--broker") {
      arguments.runtime.brokers = {std::string(value)};
      continue;
    }
    int seconds = 0;
    const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (problem != std::errc() || end != value.data() + value.size() || seconds < 1) {
      return fail(ErrorCode::bad_configuration, "--timeout takes seconds, not '" + std::string(value) + "'");
    }
    arguments.timeout = std::chrono::seconds(seconds);
  }
  if (arguments.runtime.brokers.empty()) {
    return fail(ErrorCode::bad_configuration, "no broker: give --broker ENDPOINT or set PARLEY_BROKER");
  }
  return arguments;
}

Task<int> serve(Runtime& runtime, std::chrono::seconds timeout, const WorkerSetup& setup, asio::signal_set& signals) {
  if (const Result<> ready = co_await setup(runtime); !ready) co_return report(ready.error(), kFailed);
  if (const Result<> started = co_await runtime.start(timeout); !started) {
    const int code = report(started.error(), kUnreachable);
    co_await runtime.stop(std::chrono::milliseconds(0));
    co_return code;
  }
  // What a supervisor waits for.
  std::puts("{\"event\":\"ready\"}");
  (void)std::fflush(stdout);
  co_await signals.async_wait(asio::use_awaitable);
  co_await runtime.stop();
  co_return kDone;
}

}  // namespace

int run_worker(int argc, char** argv, const std::string& name, const WorkerSetup& setup) {
  Result<Arguments> arguments = read_arguments(argc, argv, name);
  if (!arguments) return report(arguments.error(), kBadUsage);
  asio::io_context io;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  auto runtime = make_worker_runtime(io, std::move(arguments->runtime));
  if (!runtime) return report(runtime.error(), kBadUsage);
  return run_until(io, serve(**runtime, arguments->timeout, setup, signals));
}

}  // namespace parley
