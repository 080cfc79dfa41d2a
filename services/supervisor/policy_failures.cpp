// What the policy does when a process fails or is sick.
#include <ranges>
#include <spdlog/fmt/fmt.h>

#include "services/supervisor/policy_process.hpp"

namespace parley::supervisor {
void Policy::on_ended(std::string_view name, const ProcessEnd& end, TimePoint now) {
  Process* process = find(name);
  if (process == nullptr || !process->is_alive()) return;
  process->has_ended = true;
  if (process->is(ProcessState::stopping)) {
    if (process->stop == Stop::sick && !process->is_silent) ask_for_culprits(*process, Action::Kind::find_culprits);
    settle_stop(*process, now);
  } else if (is_stopping_) {
    enter(*process, ProcessState::stopped, now);
    stop_next(now);
  } else if (config_.starter == Starter::platform) {
    // The kubelet starts it again, and counts its crashes. One that ended well was scaled away or replaced.
    if (end.is_own_doing()) ask_for_culprits(*process, Action::Kind::find_culprits);
    const bool is_crash = end.is_own_doing() || end.kind != ProcessEnd::Kind::exited;
    process->view.reason = end.str();
    report(is_crash ? "agent_crashed" : "agent_stopped", *process, end.str());
    wait_for_start(*process, Duration::zero(), now);
  } else {
    find_culprits(*process, end);
    if (end.is_hopeless()) {
      process->view.has_failed = true;
      report("agent_crashed", *process, end.str());
      enter_quarantine(*process, end.str() + ": it would only fail again", true, now);
      restart_followers(*process, now);
    } else {
      fail(*process, "agent_crashed", end.str(), now);
    }
  }
  start_due(now);
}

void Policy::fail(Process& process, std::string_view event, const std::string& reason, TimePoint now) {
  const Duration healthy_for = process.ready_since ? now - *process.ready_since : Duration::zero();
  const Duration delay = process.history.note_crash(now, healthy_for, random_);
  const bool is_failed_trial = process.is_trial && healthy_for < config_.healthy_reset;
  process.is_trial = is_failed_trial;
  process.view.has_failed = true;
  process.view.reason = reason;
  report(std::string(event), process, reason);
  if (is_failed_trial) {
    enter_quarantine(process, "its trial after a quarantine failed: " + reason, true, now);
  } else if (process.history.is_too_often(now)) {
    enter_quarantine(process,
                     fmt::format("more than {} failures in {}, the last: {}", config_.max_crashes,
                                 text_of(config_.crash_window), reason),
                     true, now);
  } else {
    wait_for_start(process, delay, now);
  }
  restart_followers(process, now);
}

void Policy::restart_followers(const Process& failed, TimePoint now) {
  if (config_.strategy != Strategy::rest_for_one) return;
  bool is_behind = false;
  for (const auto& process : processes_) {
    if (is_behind && (process->is(ProcessState::starting) || process->is(ProcessState::running))) {
      begin_stop(*process, Stop::follow, config_.shutdown_grace, "follows " + failed.view.name, now);
    }
    if (process.get() == &failed) is_behind = true;
  }
}

void Policy::enter_quarantine(Process& process, const std::string& reason, bool gets_probe, TimePoint now) {
  enter(process, ProcessState::quarantined, now);
  process.ready_since.reset();
  process.is_killed = false;
  process.view.reason = reason;
  process.history.forget();
  if (gets_probe) {
    process.deadline = now + config_.probe_after;
    process.view.next_start = process.deadline;
  }
  report("quarantined", process, reason);
}

void Policy::find_culprits(Process& process, const ProcessEnd& end) {
  if (end.is_own_doing()) ask_for_culprits(process, Action::Kind::find_culprits);
  if (end.is_untold()) ask_for_culprits(process, Action::Kind::find_lost_work);
}

void Policy::ask_for_culprits(Process& process, Action::Kind how) {
  process.open_questions++;
  act(how, process);
}

void Policy::on_culprits(std::string_view name, const std::vector<std::string>& executing, TimePoint now) {
  Process* process = find(name);
  if (process == nullptr || process->open_questions == 0) return;
  process->open_questions--;
  for (const std::string& agent : suspects_.note_crash(executing, now)) {
    const std::string reason = fmt::format("it was executing when its worker failed, {} times", config_.max_suspicions);
    actions_.push_back({Action::Kind::quarantine_agent, "", agent, "", reason});
    actions_.push_back({Action::Kind::report, "", agent, "quarantined", reason});
  }
}

void Policy::on_checkup(std::string_view name, const Checkup& checkup, TimePoint now) {
  Process* process = find(name);
  if (process == nullptr || !checkup.should_restart || !process->is(ProcessState::running)) return;
  if (process->view.role == Role::worker && !is_broker_there_) return;
  if (is_stopping_ || !has_room()) return;
  process->is_silent = checkup.is_silent;
  report("agent_unhealthy", *process, checkup.reason);
  begin_stop(*process, Stop::sick, config_.sick_grace, checkup.reason, now);
}

void Policy::on_broker(bool is_there, TimePoint now) {
  if (is_there == is_broker_there_) return;
  is_broker_there_ = is_there;
  actions_.push_back({Action::Kind::report, "", "", is_there ? "broker_back" : "broker_away", ""});
  if (!is_there) return;
  for (const auto& process : processes_) {
    // A deadline that is not there is the platform's affair.
    if (process->is(ProcessState::starting) && process->deadline) process->deadline = now + config_.start_timeout;
  }
}

}  // namespace parley::supervisor
