// parley down: stops the suite that `parley up` runs, whoever of those who watch it is still alive.
#include <algorithm>
#include <csignal>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <thread>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/duration.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/suite/run_directory.hpp"
#include "services/cli/suite/supervised_suite.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace down_verb {

constexpr std::chrono::milliseconds kLookInterval{20};

struct Settings {
  std::optional<std::string> run_directory;
  std::chrono::milliseconds wait{30'000};
};

/// Asks whoever runs the suite to stop it, until nobody is left.
class Stopper {
 public:
  Stopper(std::filesystem::path folder, std::filesystem::path program_folder)
      : folder_(std::move(folder)), program_folder_(std::move(program_folder)) {}

  /// True when everything has ended before the deadline.
  bool stop(std::chrono::milliseconds wait) {
    const SystemClock clock;
    const TimePoint deadline = clock.now() + wait;
    while (is_suite_alive(folder_)) {
      if (clock.now() >= deadline) return false;
      ask();
      std::this_thread::sleep_for(kLookInterval);
      // Our own child, if we had to start one.
      if (helper_) (void)helper_->poll_end();
    }
    return true;
  }

 private:
  void ask() {
    const auto state = supervisor::read_state(folder_);
    const auto watcher = supervisor::read_watcher(folder_);
    const bool is_watched = watcher && supervisor::is_alive(*watcher);
    if (state && supervisor::is_alive(state->supervisor)) return ask_once(state->supervisor);
    // It has not come as far as a supervisor yet, or is about to bring one back, and will not now.
    if (is_watched) return ask_once(*watcher);
    if (!state || helper_) return;
    // Both were killed: the processes that they have left are adopted, and stopped in good order.
    supervisor::LaunchOptions launch = supervisor_launch(folder_, program_folder_);
    launch.command.emplace_back("--stop");
    auto started = supervisor::ChildProcess::start(launch);
    if (started) helper_.emplace(std::move(*started));
  }

  void ask_once(const supervisor::ProcessId& process) {
    const bool is_known = std::ranges::find(asked_, process) != asked_.end();
    if (is_known || (helper_ && helper_->id() == process)) return;
    asked_.push_back(process);
    if (const auto child = supervisor::ChildProcess::adopt(process)) child->send_signal(SIGTERM);
  }

  std::filesystem::path folder_;
  std::filesystem::path program_folder_;
  std::vector<supervisor::ProcessId> asked_;
  std::optional<supervisor::ChildProcess> helper_;
};

int run_down(Environment& environment, const Settings& settings) {
  const std::filesystem::path folder = std::filesystem::absolute(
      settings.run_directory ? std::filesystem::path(*settings.run_directory) : default_run_directory());
  if (!is_suite_alive(folder)) {
    return environment.console.fail(
        Error(ErrorCode::refused,
              fmt::format("no suite is running in {} (started elsewhere? use --run-dir)", folder.string())));
  }
  const auto watcher = supervisor::read_watcher(folder);
  const bool is_clean = Stopper(folder, environment.program_folder).stop(settings.wait);
  if (!is_clean) {
    if (watcher) {
      if (const auto child = supervisor::ChildProcess::adopt(*watcher)) child->send_signal(SIGKILL);
    }
    kill_suite(folder);
    environment.console.note(fmt::format("it did not stop within {} and was killed", format_duration(settings.wait)));
  }
  const pid_t pid = watcher ? watcher->pid : 0;
  if (environment.common.is_json) {
    environment.console.print(to_line({{"pid", pid}, {"clean", is_clean}}));
  } else {
    environment.console.print(fmt::format("stopped (pid {})", pid));
  }
  return kDone;
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.option("--run-dir", settings->run_directory, "DIR", "Run directory that was given to 'parley up'");
  options.duration("--wait", settings->wait, "How long a clean stop may take before it is killed");
  return [settings](Environment& environment) { return run_down(environment, *settings); };
}

}  // namespace down_verb
}  // namespace

const Verb kDownVerb{"down", "Stop what 'parley up -d' has started", "  parley down", Reach::local,
                     &down_verb::declare};

}  // namespace parley::cli
