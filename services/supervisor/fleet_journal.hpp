// What a supervisor tells about its processes, whichever driver runs them: the log line, the metrics and the event for
// the bus of each thing that happened, the list for `parley ps`, and the orders of operators. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/messages/supervisor.hpp"
#include "services/supervisor/fleet_numbers.hpp"
#include "services/supervisor/policy.hpp"

namespace parley::supervisor {

class FleetJournal {
 public:
  /// For those who ask what has happened.
  static constexpr std::size_t kRecentEvents = 256;

  /// `clock` must outlive it.
  FleetJournal(std::string node, const Clock& clock) : node_(std::move(node)), clock_(clock) {}

  /// An Action::report: writes it to the log, counts it, and gives the event for the bus.
  messages::FleetEvent note(const Action& action, const std::vector<ProcessView>& processes,
                            const std::vector<std::string>& last_lines);
  /// True while the next restart of the process is for its health.
  [[nodiscard]] bool is_sick(const std::string& process) const;
  /// Counts the restarts since the last call.
  void count_restarts(const std::vector<ProcessView>& processes);
  /// An earlier run of the supervisor has counted so many.
  void adopt_restarts(const std::string& process, std::uint64_t restarts) { memories_[process].counted = restarts; }
  [[nodiscard]] std::vector<FleetNumber> numbers(const std::vector<ProcessView>& processes) const {
    return numbers_.numbers(processes);
  }

  /// `details` adds what only the driver knows.
  [[nodiscard]] messages::SupervisorReport report(
      const messages::SupervisorList& list, const std::vector<ProcessView>& processes,
      const std::function<void(messages::SupervisedProcess& row)>& details) const;

 private:
  struct Memory {
    std::string cause = "order";  ///< of the next restart
    std::uint64_t counted = 0;
  };

  std::string node_;
  const Clock& clock_;
  FleetNumbers numbers_;
  std::map<std::string, Memory> memories_;
  std::deque<messages::FleetEvent> recent_;
};

/// Hands an operator's order to the policy. Fails with `invalid` for an order that there is not, or as the policy does.
Result<messages::SupervisorDone> carry_out(const messages::SupervisorOrder& order, Policy& policy, TimePoint now);

}  // namespace parley::supervisor
