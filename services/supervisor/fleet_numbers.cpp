#include "services/supervisor/fleet_numbers.hpp"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace parley::supervisor {

const std::vector<std::string>& all_fleet_events() {
  static const std::vector<std::string> kEvents{"adopted",         "agent_crashed", "agent_killed",  "agent_ready",
                                                "agent_restarted", "agent_started", "agent_stopped", "agent_unhealthy",
                                                "api_away",        "api_back",      "broker_away",   "broker_back",
                                                "probed",          "quarantined",   "released"};
  return kEvents;
}

namespace {

/// Its platform has taken it away in good order (scaled down), so that nobody waits for it.
bool is_given_up(const ProcessView& process) {
  return process.state == ProcessState::waiting && !process.next_start && process.has_been_ready && !process.has_failed;
}

}  // namespace

std::vector<FleetNumber> FleetNumbers::numbers(const std::vector<ProcessView>& processes) const {
  std::vector<FleetNumber> numbers;
  const auto add = [&numbers](std::string name, std::uint64_t value) { numbers.push_back({std::move(name), value}); };
  for (const std::string& event : all_fleet_events()) {
    const auto counted = events_.find(event);
    add(fmt::format("parley_supervisor_events_total{{event=\"{}\"}}", event),
        counted == events_.end() ? 0 : counted->second);
  }
  for (const ProcessView& process : processes) {
    for (const char* reason : {"crash", "health", "order"}) {
      const auto counted = restarts_.find({process.name, reason});
      add(fmt::format("parley_supervisor_restarts_total{{process=\"{}\",reason=\"{}\"}}", process.name, reason),
          counted == restarts_.end() ? 0 : counted->second);
    }
  }
  for (const ProcessState state : {ProcessState::waiting, ProcessState::starting, ProcessState::running,
                                   ProcessState::stopping, ProcessState::stopped, ProcessState::quarantined}) {
    add(fmt::format("parley_supervisor_processes{{state=\"{}\"}}", name_of(state)),
        static_cast<std::uint64_t>(std::ranges::count(processes, state, &ProcessView::state)));
  }
  for (const ProcessView& process : processes) {
    if (is_given_up(process)) continue;
    add(fmt::format("parley_supervisor_process_up{{process=\"{}\"}}", process.name),
        process.state == ProcessState::running ? 1 : 0);
  }
  for (const ProcessView& process : processes) {
    add(fmt::format("parley_supervisor_quarantined{{process=\"{}\"}}", process.name),
        process.state == ProcessState::quarantined ? 1 : 0);
  }
  return numbers;
}

}  // namespace parley::supervisor
