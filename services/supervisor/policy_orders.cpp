// How the policy stops processes, and what operators may ask for.
#include <algorithm>
#include <ranges>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/supervisor/policy_process.hpp"

namespace parley::supervisor {
namespace {

Result<> refuse(const ProcessView& process, std::string_view why) {
  return fail(ErrorCode::refused, fmt::format("process '{}' {}", process.name, why));
}

}  // namespace

void Policy::begin_stop(Process& process, Stop why, Duration grace, std::string reason, TimePoint now) {
  process.stop = why;
  process.view.reason = std::move(reason);
  enter(process, ProcessState::stopping, now);
  process.deadline = now + grace;
  act(Action::Kind::stop, process);
}

void Policy::settle_stop(Process& process, TimePoint now) {
  process.is_killed = false;
  if (is_stopping_ || process.stop == Stop::drain || process.stop == Stop::shutdown) {
    enter(process, ProcessState::stopped, now);
    report("agent_stopped", process, process.view.reason);
    if (is_stopping_) stop_next(now);
    return;
  }
  switch (process.stop) {
    case Stop::sick:
      return fail(process, "agent_stopped", std::string(process.view.reason), now);
    case Stop::quarantine:
      return enter_quarantine(process, std::string(process.view.reason), false, now);
    default:
      return wait_for_start(process, Duration::zero(), now);
  }
}

Result<> Policy::restart(std::string_view name, TimePoint now) {
  const Result<Process*> found = find_known(name);
  if (!found) return parley::fail(found.error());
  Process& process = **found;
  switch (process.view.state) {
    case ProcessState::stopping:
      return refuse(process.view, "is being stopped already");
    case ProcessState::waiting:
      wait_for_start(process, Duration::zero(), now);
      break;
    case ProcessState::starting:
    case ProcessState::running:
      begin_stop(process, Stop::order, config_.drain_grace, "restart asked for", now);
      break;
    case ProcessState::stopped:
    case ProcessState::quarantined:
      return release(name, now);
  }
  start_due(now);
  return {};
}

Result<> Policy::drain(std::string_view name, TimePoint now) { return put_away(name, Stop::drain, now); }

Result<> Policy::quarantine(std::string_view name, TimePoint now) { return put_away(name, Stop::quarantine, now); }

Result<> Policy::put_away(std::string_view name, Stop why, TimePoint now) {
  const Result<Process*> found = find_known(name);
  if (!found) return parley::fail(found.error());
  Process& process = **found;
  if (config_.starter == Starter::platform) {
    return refuse(process.view, "would be started again by the platform; scale its deployment instead");
  }
  const bool is_drain = why == Stop::drain;
  if (process.is(is_drain ? ProcessState::stopped : ProcessState::quarantined)) {
    return refuse(process.view, fmt::format("is {} already", name_of(process.view.state)));
  }
  const std::string reason = is_drain ? "drain asked for" : "quarantine asked for";
  if (process.is(ProcessState::stopping)) {
    process.stop = why;
    process.view.reason = reason;
  } else if (process.is_alive()) {
    begin_stop(process, why, config_.drain_grace, reason, now);
  } else {
    process.stop = why;
    process.view.reason = reason;
    settle_stop(process, now);
  }
  start_due(now);
  return {};
}

Result<> Policy::release(std::string_view name, TimePoint now) {
  const Result<Process*> found = find_known(name);
  if (!found) return parley::fail(found.error());
  Process& process = **found;
  if (!process.is(ProcessState::stopped) && !process.is(ProcessState::quarantined)) {
    return refuse(process.view, fmt::format("is {}, neither stopped nor quarantined", name_of(process.view.state)));
  }
  process.history.forget();
  process.is_trial = false;
  process.view.reason = "released";
  report("released", process, "");
  wait_for_start(process, Duration::zero(), now);
  start_due(now);
  return {};
}

void Policy::stop_all(TimePoint now) {
  if (std::exchange(is_stopping_, true)) return;
  for (const auto& process : processes_) {
    if (!process->is_alive()) enter(*process, ProcessState::stopped, now);
  }
  stop_next(now);
}

void Policy::stop_next(TimePoint now) {
  const auto stop_role = [&](Role role) {
    bool is_done = true;
    for (const auto& process : processes_ | std::views::reverse) {
      if (process->view.role != role || !process->is_alive()) continue;
      is_done = false;
      if (!process->is(ProcessState::stopping)) {
        begin_stop(*process, Stop::shutdown, config_.shutdown_grace, "everything stops", now);
      } else if (process->stop != Stop::shutdown) {
        process->stop = Stop::shutdown;
        process->deadline = std::min(process->deadline.value_or(now), now + config_.shutdown_grace);
      }
    }
    return is_done;
  };
  if (stop_role(Role::worker)) (void)stop_role(Role::broker);
}

bool Policy::is_all_stopped() const {
  return is_stopping_ && std::ranges::none_of(processes_, [](const auto& process) { return process->is_alive(); });
}

}  // namespace parley::supervisor
