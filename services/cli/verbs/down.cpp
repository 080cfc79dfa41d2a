// parley down: stops the suite that `parley up` runs in the background.
#include <csignal>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <thread>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/duration.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {

constexpr std::chrono::milliseconds kLookInterval{20};

struct Settings {
  std::optional<std::string> run_directory;
  std::chrono::milliseconds wait{30'000};
};

/// True when the process has ended before the deadline.
bool wait_for_end(const RunRecord& record, std::chrono::milliseconds wait) {
  const SystemClock clock;
  const TimePoint deadline = clock.now() + wait;
  while (start_time_of(record.pid) == record.start_time) {
    if (clock.now() >= deadline) return false;
    std::this_thread::sleep_for(kLookInterval);
  }
  return true;
}

int run_down(Environment& environment, const Settings& settings) {
  const std::filesystem::path folder =
      settings.run_directory ? std::filesystem::path(*settings.run_directory) : default_run_directory();
  const auto record = find_running(folder);
  if (!record) {
    return environment.console.fail(
        Error(ErrorCode::refused,
              fmt::format("no suite is running in {} (started elsewhere? use --run-dir)", folder.string())));
  }
  (void)::kill(record->pid, SIGTERM);
  const bool is_clean = wait_for_end(*record, settings.wait);
  if (!is_clean) {
    // Its processes die with it: the kernel sees to that.
    (void)::kill(record->pid, SIGKILL);
    (void)wait_for_end(*record, settings.wait);
    environment.console.note(fmt::format("it did not stop within {} and was killed", format_duration(settings.wait)));
  }
  if (environment.common.is_json) {
    environment.console.print(to_line({{"pid", record->pid}, {"clean", is_clean}}));
  } else {
    environment.console.print(fmt::format("stopped (pid {})", record->pid));
  }
  return kDone;
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.option("--run-dir", settings->run_directory, "DIR", "Run directory that was given to 'parley up'");
  options.duration("--wait", settings->wait, "How long a clean stop may take before it is killed");
  return [settings](Environment& environment) { return run_down(environment, *settings); };
}

}  // namespace

const Verb kDownVerb{"down", "Stop what 'parley up -d' has started", "  parley down", Reach::local, &declare};

}  // namespace parley::cli
