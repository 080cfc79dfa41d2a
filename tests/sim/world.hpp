// One run of the simulation: a broker, machines, a network and faults, all drawn from one seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/core/random.hpp"
#include "tests/sim/broker_process.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/schedule.hpp"

namespace parley::sim {

class World {
 public:
  /// Who is told that a connection is cut.
  enum class Notice : std::uint8_t { nobody, machine, both };

  World(std::uint64_t seed, bool is_logging);

  /// True when every rule held.
  bool run();

  [[nodiscard]] const Checker& result() const { return checker_; }
  [[nodiscard]] const std::vector<std::string>& log_lines() const { return log_; }

  // For the processes.
  Schedule& schedule() { return schedule_; }
  [[nodiscard]] TimePoint now() const { return schedule_.now(); }
  Random& random() { return random_; }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
  Duration between(Duration low, Duration high);
  Checker& checker() { return checker_; }
  BrokerProcess& broker() { return broker_; }
  [[nodiscard]] const Scenario& scenario() const { return scenario_; }
  [[nodiscard]] bool is_loading() const { return is_loading_; }
  /// Since when, or from when on, the broker and its network are undisturbed.
  [[nodiscard]] TimePoint calm_since() const { return calm_since_; }
  std::uint64_t next_life() { return ++lives_; }
  std::uint32_t next_stream() { return ++streams_; }

  /// Runs on the machine's life `life`: dropped after it, put off while it is paused.
  void at_machine(std::size_t machine, std::uint64_t life, TimePoint when, Action action);
  ConnectionPtr open(std::size_t machine, std::uint64_t life);
  void close(const ConnectionPtr& connection);
  void cut(const ConnectionPtr& connection, Notice notice);
  void send_to_broker(const ConnectionPtr& connection, FrameBytes frame);
  void send_to_machine(const ConnectionPtr& connection, FrameBytes frame);
  void restart_later(std::size_t machine, Duration delay);
  /// The machine said goodbye: what it sent still arrives, then it is gone, and back after `delay`.
  void retire(std::size_t machine, Duration delay);
  void resume(std::size_t machine, std::uint64_t life);
  void check_broker_bounds();
  /// `name` starts a turn on `id`; the one before it must have given the id up.
  void check_single(const Checker::Starter& before, const std::string& id, Epoch epoch, const std::string& name);

  template <class... Args>
  void log(fmt::format_string<Args...> format, Args&&... args) {
    if (!is_logging_) return;
    log_line(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void log_line(std::string text);
  void inject(const PlannedFault& fault);
  void note_trouble(Duration lasting = {}) { calm_since_ = std::max(calm_since_, now() + lasting); }
  void restart_broker_later(Duration delay);
  void finish();
  void check_leftovers();
  void check_books();

  SeededRandom random_;
  bool is_logging_;
  Scenario scenario_;
  Schedule schedule_;
  Checker checker_;
  BrokerProcess broker_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::uint64_t lives_ = 0;
  std::uint32_t streams_ = 0;
  broker::PeerHandle handles_ = 0;
  bool is_loading_ = true;
  TimePoint calm_since_;
  std::uint64_t flushes_ = 0;
  std::vector<std::string> log_;
};

}  // namespace parley::sim
