// A policy in virtual time, with short words for what happens to its processes.
#pragma once

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/supervisor/policy.hpp"

namespace parley::supervisor {

using namespace std::chrono_literals;

inline const ProcessEnd kKilledFromOutside{ProcessEnd::Kind::killed, SIGKILL};
inline const ProcessEnd kSegfault{ProcessEnd::Kind::killed, SIGSEGV};
inline const ProcessEnd kBadConfiguration{ProcessEnd::Kind::exited, 2};
inline const ProcessEnd kCleanExit{ProcessEnd::Kind::exited, 0};

/// Drives a policy, and remembers the actions since the last take().
class Bench {
 public:
  explicit Bench(PolicyConfig config = {}) : policy(config, random_) {}

  void worker(const std::string& name) { policy.add(name, Role::worker, now); }
  void broker() { policy.add("broker", Role::broker, now); }
  /// Adds it and lets it become ready.
  void running(const std::string& name) {
    worker(name);
    ready(name);
  }
  void ready(const std::string& name) {
    policy.on_started(name, now);
    policy.on_ready(name, now);
  }
  void ends(const std::string& name, ProcessEnd end = kSegfault, const std::vector<std::string>& executing = {}) {
    policy.on_ended(name, end, now);
    policy.on_culprits(name, executing, now);
  }
  void sick(const std::string& name, bool is_silent = false) {
    policy.on_checkup(name, {true, is_silent, "is sick"}, now);
  }
  void advance(Duration step) {
    now += step;
    policy.tick(now);
  }
  /// Goes to the next time at which the policy wants to be called; false when there is none.
  bool advance_to_next_tick() {
    const auto next = policy.next_tick();
    if (!next) return false;
    now = std::max(now, *next);
    policy.tick(now);
    return true;
  }
  /// Fails it as soon as it has started, until it is in quarantine; returns the number of starts.
  int crash_until_quarantined(const std::string& name) {
    int starts = 0;
    while (state(name) != ProcessState::quarantined) {
      if (state(name) == ProcessState::waiting) {
        advance_to_next_tick();
      } else {
        ends(name);
        ++starts;
      }
    }
    return starts;
  }

  std::vector<Action> take() { return policy.take_actions(); }
  /// `start hr`, `kill hr`, … in order, without the reports.
  std::vector<std::string> deeds() {
    std::vector<std::string> texts;
    for (const Action& action : take()) {
      if (action.kind == Action::Kind::start) texts.push_back("start " + action.process);
      if (action.kind == Action::Kind::stop) texts.push_back("stop " + action.process);
      if (action.kind == Action::Kind::kill) texts.push_back("kill " + action.process);
      if (action.kind == Action::Kind::quarantine_agent) texts.push_back("quarantine " + action.agent);
    }
    return texts;
  }
  std::vector<std::string> events() {
    std::vector<std::string> texts;
    for (const Action& action : take()) {
      if (action.kind == Action::Kind::report) texts.push_back(action.event);
    }
    return texts;
  }

  ProcessView view(const std::string& name) const {
    for (ProcessView& process : policy.processes()) {
      if (process.name == name) return process;
    }
    ADD_FAILURE() << "no process " << name;
    return {};
  }
  ProcessState state(const std::string& name) const { return view(name).state; }

 private:
  SeededRandom random_{7};

 public:
  Policy policy;
  TimePoint now{1h};
};

}  // namespace parley::supervisor
