// What the supervisor's metrics page shows; monitoring/METRICS.md explains each name. Counters live here, gauges are
// read off the policy. Pure. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "services/supervisor/policy.hpp"

namespace parley::supervisor {

struct FleetNumber {
  std::string name;  ///< with its labels
  std::uint64_t value = 0;
};

class FleetNumbers {
 public:
  void count_event(const std::string& event) { events_[event]++; }
  /// `reason` is one of `crash`, `health`, `order`.
  void count_restart(const std::string& process, const std::string& reason) { restarts_[{process, reason}]++; }

  /// Everything, families together; every process and state has a series from the start.
  [[nodiscard]] std::vector<FleetNumber> numbers(const std::vector<ProcessView>& processes) const;

 private:
  std::map<std::string, std::uint64_t> events_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> restarts_;
};

/// Every event that there is, so that its series exists from the start.
[[nodiscard]] const std::vector<std::string>& all_fleet_events();

}  // namespace parley::supervisor
