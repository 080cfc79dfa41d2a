#include "services/supervisor/policy.hpp"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/supervisor/policy_process.hpp"

namespace parley::supervisor {
namespace {

/// SIGKILL needs no grace; this is when to look whether it has worked.
constexpr std::chrono::seconds kKillAgain{5};

}  // namespace

std::string_view name_of(ProcessState state) {
  constexpr std::array<std::string_view, 6> kNames{"waiting",  "starting", "running",
                                                   "stopping", "stopped",  "quarantined"};
  return kNames.at(static_cast<std::size_t>(state));
}

Policy::Policy(PolicyConfig config, Random& random)
    : config_(config), random_(random), suspects_(config.max_suspicions, config.healthy_reset) {}

Policy::~Policy() = default;

Policy::Process* Policy::find(std::string_view name) {
  const auto found = std::ranges::find(processes_, name, [](const auto& process) { return process->view.name; });
  return found == processes_.end() ? nullptr : found->get();
}

Result<Policy::Process*> Policy::find_known(std::string_view name) {
  Process* process = find(name);
  if (process == nullptr) {
    return parley::fail(ErrorCode::unknown_agent_type, fmt::format("this supervisor has no process '{}'", name));
  }
  return process;
}

void Policy::act(Action::Kind kind, const Process& process) {
  actions_.push_back({kind, process.view.name, "", "", ""});
}

void Policy::report(std::string event, const Process& process, std::string reason) {
  actions_.push_back({Action::Kind::report, process.view.name, "", std::move(event), std::move(reason)});
}

void Policy::enter(Process& process, ProcessState state, TimePoint now) {
  process.view.state = state;
  process.view.since = now;
  process.view.next_start.reset();
  process.deadline.reset();
}

void Policy::remember(PolicyMemory earlier, TimePoint now) {
  remembered_ = std::move(earlier.crashes);
  suspects_.restore(earlier.suspicions, now);
}

PolicyMemory Policy::memory(TimePoint now) const {
  PolicyMemory memory{{}, suspects_.suspicions(now)};
  for (const auto& process : processes_) memory.crashes.push_back(process->history.record(process->view.name, now));
  return memory;
}

Policy::Process& Policy::make_process(ProcessView view, TimePoint now) {
  Process& process = *processes_.emplace_back(std::make_unique<Process>(config_));
  process.view = std::move(view);
  const auto record = std::ranges::find(remembered_, process.view.name, &CrashRecord::process);
  if (record != remembered_.end()) {
    process.history.restore(*record, now);
    remembered_.erase(record);
  }
  return process;
}

void Policy::add(std::string name, Role role, TimePoint now) {
  ProcessView view;
  view.name = std::move(name);
  view.role = role;
  Process& process = make_process(std::move(view), now);
  wait_for_start(process, Duration::zero(), now);
  start_due(now);
}

void Policy::adopt(const ProcessView& earlier, bool is_alive, TimePoint now) {
  Process& process = make_process(earlier, now);
  const ProcessState state = earlier.state;
  enter(process, state, now);
  if (state == ProcessState::stopped) return;
  if (state == ProcessState::quarantined) {
    if (earlier.next_start) process.deadline = now + config_.probe_after;
    process.view.next_start = process.deadline;
    return;
  }
  if (is_alive) {
    report("adopted", process, "");
    if (earlier.has_been_ready) {
      enter(process, ProcessState::running, now);
      process.ready_since = now;
    } else {
      enter(process, ProcessState::starting, now);
      process.deadline = now + config_.start_timeout;
    }
    // Who was being stopped, and why, was known to the supervisor that is gone.
    if (state == ProcessState::stopping) begin_stop(process, Stop::order, config_.drain_grace, "stop resumed", now);
  } else if (state == ProcessState::waiting) {
    wait_for_start(process, Duration::zero(), now);
  } else {
    fail(process, "agent_crashed", "ended while the supervisor was away", now);
  }
  start_due(now);
}

void Policy::remove(std::string_view name) {
  std::erase_if(processes_, [&](const auto& process) { return process->view.name == name; });
}

void Policy::wait_for_start(Process& process, Duration delay, TimePoint now) {
  enter(process, ProcessState::waiting, now);
  process.ready_since.reset();
  process.is_killed = false;
  process.is_silent = false;
  if (config_.starter == Starter::supervisor) process.view.next_start = now + delay;
}

bool Policy::may_start(const Process& process) const {
  for (const auto& earlier : processes_) {
    if (earlier.get() == &process) return true;
    if (config_.strategy == Strategy::rest_for_one) {
      if (!earlier->is(ProcessState::running)) return false;
    } else if (earlier->view.role == Role::broker && !earlier->view.has_been_ready) {
      // Workers wait for a broker by themselves; only at the very first start it is quicker to let it go first.
      return false;
    }
  }
  return true;
}

bool Policy::has_room() const {
  const auto is_busy = [this](const auto& process) {
    // One that the platform is to start again is on its way up as soon as its predecessor is gone.
    const bool is_awaited =
        config_.starter == Starter::platform && process->is(ProcessState::waiting) && process->view.has_failed;
    return is_awaited || process->is(ProcessState::starting) ||
           (process->is(ProcessState::stopping) && process->stop == Stop::sick);
  };
  return std::ranges::count_if(processes_, is_busy) < static_cast<std::ptrdiff_t>(config_.max_simultaneous);
}

void Policy::start_due(TimePoint now) {
  if (is_stopping_) return;
  std::vector<Process*> due;
  for (const auto& process : processes_) {
    if (process->view.next_start && process->is(ProcessState::waiting) && *process->view.next_start <= now) {
      due.push_back(process.get());
    }
  }
  std::ranges::stable_sort(due, {}, [](const Process* process) { return *process->view.next_start; });
  for (Process* process : due) {
    if (!has_room()) return;
    if (!may_start(*process)) continue;
    enter(*process, ProcessState::starting, now);
    process->deadline = now + config_.start_timeout;
    if (process->view.has_failed || process->view.has_been_ready) process->view.restarts++;
    act(Action::Kind::start, *process);
  }
}

void Policy::on_started(std::string_view name, TimePoint now) {
  Process* process = find(name);
  if (process == nullptr) return;
  if (config_.starter == Starter::platform && process->is(ProcessState::waiting)) {
    enter(*process, ProcessState::starting, now);
    if (std::exchange(process->has_ended, false)) process->view.restarts++;
  }
  if (process->is(ProcessState::starting)) report("agent_started", *process, "");
}

void Policy::on_ready(std::string_view name, TimePoint now) {
  Process* process = find(name);
  if (process == nullptr) return;
  const bool is_expected = process->is(ProcessState::starting) ||
                           (config_.starter == Starter::platform && process->is(ProcessState::waiting));
  if (!is_expected) return;
  enter(*process, ProcessState::running, now);
  process->ready_since = now;
  process->view.has_been_ready = true;
  report(process->view.restarts == 0 ? "agent_ready" : "agent_restarted", *process, process->view.reason);
  start_due(now);
}

void Policy::tick(TimePoint now) {
  for (const auto& process : processes_) {
    if (!process->deadline || *process->deadline > now) continue;
    if (process->is(ProcessState::stopping)) {
      process->deadline = now + kKillAgain;
      act(Action::Kind::kill, *process);
      if (!std::exchange(process->is_killed, true)) report("agent_killed", *process, "it did not stop when asked to");
    } else if (process->is(ProcessState::quarantined)) {
      process->is_trial = true;
      report("probed", *process, "one trial after a quarantine");
      if (config_.starter == Starter::platform) {
        enter(*process, ProcessState::waiting, now);
      } else {
        wait_for_start(*process, Duration::zero(), now);
      }
    } else if (process->view.role == Role::broker || is_broker_there_) {
      const std::string reason = fmt::format("was not ready within {}", text_of(config_.start_timeout));
      report("agent_unhealthy", *process, reason);
      begin_stop(*process, Stop::sick, config_.sick_grace, reason, now);
      process->is_silent = true;
    }
  }
  start_due(now);
}

std::optional<TimePoint> Policy::next_tick() const {
  std::optional<TimePoint> next;
  const auto consider = [&next](const std::optional<TimePoint>& time) {
    if (time && (!next || *time < *next)) next = time;
  };
  for (const auto& process : processes_) {
    if (process->is(ProcessState::waiting)) {
      // Whoever has to wait for another process starts with that one's next event.
      if (!is_stopping_ && has_room() && may_start(*process)) consider(process->view.next_start);
    } else if (!process->is(ProcessState::starting) || process->view.role == Role::broker || is_broker_there_) {
      consider(process->deadline);
    }
  }
  return next;
}

std::vector<Action> Policy::take_actions() { return std::exchange(actions_, {}); }

std::vector<ProcessView> Policy::processes() const {
  std::vector<ProcessView> views;
  views.reserve(processes_.size());
  for (const auto& process : processes_) views.push_back(process->view);
  return views;
}

}  // namespace parley::supervisor
