#include "libmsg/runtime/run_worker.hpp"

#include <algorithm>
#include <array>
#include <asio/awaitable.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <string_view>
#include <utility>
#include <vector>

#include "libmsg/core/duration.hpp"
#include "libmsg/runtime/run.hpp"
#include "libmsg/runtime/worker_runtime.hpp"

namespace parley {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadUsage = 2;
constexpr int kUnreachable = 3;

constexpr std::string_view kUsage =
    " [OPTIONS]\n"
    "Hosts agents until SIGTERM or SIGINT. Prints {\"event\":\"ready\"} once the broker knows them.\n\n"
    "  --broker ENDPOINT  Where the broker is, repeatable, one for each shard (default: PARLEY_BROKER)\n"
    "  --timeout TIME     How long to wait for the broker, for example 500ms or 10s (default 10s)\n"
    "  --insecure         Connect beyond this machine although nothing is encrypted\n"
    "  --log-level LEVEL  error, warn, info (default), debug or off\n"
    "  --version          Print the version of Parley\n"
    "  --help             Print this\n\n"
    "Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 no broker in time.";

struct WorkerArguments {
  WorkerRuntimeOptions runtime;
  std::chrono::milliseconds timeout{10'000};
  spdlog::level::level_enum log_level = spdlog::level::info;
  /// To be printed instead of running.
  std::optional<std::string> text;
};

int report(const Error& error, int exit_code) {
  std::fprintf(stderr, "error: %s: %s\n", to_string(error.code).c_str(), error.message.c_str());
  return exit_code;
}

/// One endpoint per shard, as in the other programs: a list with commas.
std::vector<std::string> brokers_of_environment() {
  const char* const variable = std::getenv("PARLEY_BROKER");
  std::vector<std::string> brokers;
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    if (end > 0) brokers.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return brokers;
}

Result<> apply_timeout(const std::string& value, WorkerArguments& arguments) {
  // A number alone is seconds.
  const bool is_number = value.find_first_not_of("0123456789") == std::string::npos;
  const auto timeout = parse_duration(is_number ? value + "s" : value);
  if (!timeout || timeout->count() == 0) {
    return fail(ErrorCode::bad_configuration, "--timeout: '" + value + "': expected a duration such as 500ms or 10s");
  }
  arguments.timeout = *timeout;
  return {};
}

Result<> apply_log_level(const std::string& value, WorkerArguments& arguments) {
  constexpr std::array<std::string_view, 5> kLevels{"error", "warn", "info", "debug", "off"};
  if (std::ranges::find(kLevels, value) == kLevels.end()) {
    return fail(ErrorCode::bad_configuration, "--log-level: '" + value + "': expected error, warn, info, debug or off");
  }
  arguments.log_level = spdlog::level::from_str(value);
  return {};
}

Result<> apply_option(std::string_view name, const std::string& value, WorkerArguments& arguments) {
  if (name == "--timeout") return apply_timeout(value, arguments);
  if (name == "--log-level") return apply_log_level(value, arguments);
  arguments.runtime.brokers.push_back(value);
  return {};
}

/// True when `word` stands alone; it is applied.
bool apply_switch(std::string_view word, const std::string& program, WorkerArguments& arguments) {
  if (word == "--insecure") {
    arguments.runtime.is_insecure_allowed = true;
  } else if (word == "--help" || word == "-h") {
    arguments.text = "Usage: " + program + std::string(kUsage);
  } else if (word == "--version") {
    arguments.text = program + " (parley " PARLEY_VERSION ")";
  } else {
    return false;
  }
  return true;
}

Result<WorkerArguments> read_arguments(std::span<char*> words, const std::string& program, const std::string& name) {
  constexpr std::array<std::string_view, 3> kOptions{"--broker", "--timeout", "--log-level"};
  WorkerArguments arguments;
  arguments.runtime.name = name;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (apply_switch(word, program, arguments)) continue;
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string_view::npos;
    const std::string_view option = word.substr(0, equals);
    if (std::ranges::find(kOptions, option) == kOptions.end()) {
      return fail(ErrorCode::bad_configuration,
                  "unknown argument '" + std::string(word) + "' (see " + program + " --help)");
    }
    if (equals == std::string_view::npos && ++i == words.size()) {
      return fail(ErrorCode::bad_configuration, std::string(option) + " needs a value");
    }
    const std::string value(equals == std::string_view::npos ? words[i] : word.substr(equals + 1));
    if (const Result<> applied = apply_option(option, value, arguments); !applied) return fail(applied.error());
  }
  if (arguments.runtime.brokers.empty()) arguments.runtime.brokers = brokers_of_environment();
  if (arguments.runtime.brokers.empty() && !arguments.text) {
    return fail(ErrorCode::bad_configuration, "no broker: give --broker ENDPOINT or set PARLEY_BROKER");
  }
  return arguments;
}

/// The level as `--log-level` and the log of every other program (monitoring/log.cpp) call it: spdlog has "warning".
class LevelWord final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& out) override {
    const auto given = spdlog::level::to_string_view(message.level);
    const std::string_view word =
        message.level == spdlog::level::warn ? "warn" : std::string_view(given.data(), given.size());
    out.append(word.data(), word.data() + word.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelWord>(); }
};

/// Standard output belongs to the ready line, and to the program's own words.
void log_to_standard_error(spdlog::level::level_enum level) {
  auto logger = std::make_shared<spdlog::logger>("parley", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<LevelWord>('l').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(level);
  spdlog::set_default_logger(std::move(logger));
}

/// What a worker is and where it goes, for its errors.
struct WorkerRun {
  std::vector<std::string> brokers;
  std::chrono::milliseconds timeout;
  const WorkerSetup& setup;
  asio::signal_set& signals;
};

int report_start(const Error& error, const WorkerRun& run) {
  if (error.code != ErrorCode::unreachable) return report(error, kFailed);
  return report(no_broker_answers(run.brokers, run.timeout), kUnreachable);
}

Task<int> serve(Runtime& runtime, const WorkerRun& run) {
  if (const Result<> ready = co_await run.setup(runtime); !ready) co_return report(ready.error(), kFailed);
  if (const Result<> started = co_await runtime.start(run.timeout); !started) {
    const int code = report_start(started.error(), run);
    co_await runtime.stop(std::chrono::milliseconds(0));
    co_return code;
  }
  // What a supervisor waits for.
  std::puts("{\"event\":\"ready\"}");
  (void)std::fflush(stdout);
  co_await run.signals.async_wait(asio::use_awaitable);
  co_await runtime.stop();
  co_return kDone;
}

}  // namespace

int run_worker(int argc, char** argv, const std::string& name, const WorkerSetup& setup) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  const std::string_view path = words.empty() ? name : std::string_view(words.front());
  const std::string program(path.substr(path.rfind('/') + 1));
  Result<WorkerArguments> arguments = read_arguments(words.empty() ? words : words.subspan(1), program, name);
  if (!arguments) return report(arguments.error(), kBadUsage);
  if (arguments->text) {
    std::puts(arguments->text->c_str());
    return kDone;
  }
  log_to_standard_error(arguments->log_level);
  asio::io_context io;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  const WorkerRun run{arguments->runtime.brokers, arguments->timeout, setup, signals};
  auto runtime = make_worker_runtime(io, std::move(arguments->runtime));
  if (!runtime) return report(runtime.error(), kBadUsage);
  return run_until(io, serve(**runtime, run));
}

}  // namespace parley
