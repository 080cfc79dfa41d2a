// What one seed stands for: how many processes, how fast the network, how tight the limits, which faults.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/core/core.hpp"
#include "libmsg/core/random.hpp"
#include "tests/sim/schedule.hpp"

namespace parley::sim {

enum class Fault : std::uint8_t {
  crash_machine,
  pause_machine,
  drain_machine,
  cut_connection,    ///< silently: both sides must find out
  break_connection,  ///< both sides are told, some time
  cut_off_broker,    ///< only the broker is told: something between the two ended the connection
  slow_reader,
  crash_broker,
  pause_broker,
  shut_broker_down,
  order_drain,  ///< an operator's, of a worker
  order_evict,  ///< an operator's, of one of a machine's agents
};
inline constexpr std::uint64_t kFaultKinds = 12;

struct PlannedFault {
  Fault fault{};
  Duration at{};
  std::size_t machine = 0;
  Duration lasting{};
};

struct HostedType {
  std::string name;
  std::uint16_t index = 0;
  std::vector<std::string> capabilities;
  std::uint32_t capacity = 1;
  bool is_reentrant = false;
};

struct MachinePlan {
  std::string name;
  std::vector<HostedType> types;  ///< none: a client
  bool changes_types = false;     ///< unregisters and registers them while it runs
  std::uint64_t credit_bytes = 0;
  Duration inbox_delay{};  ///< between the I/O thread and the loop thread
  std::uint64_t bursts = 0;
  Duration idle_timeout{};
  std::uint32_t max_mailbox = 1024;
};

struct Scenario {
  broker::CoreConfig broker;
  std::vector<MachinePlan> machines;
  std::vector<std::string> types;
  std::vector<std::string> reentrant_types;
  std::uint64_t keys_per_type = 1;
  Duration load_time{};
  Duration settle_time{};
  Duration min_latency{};
  Duration max_latency{};
  std::size_t max_padding = 0;
  std::vector<PlannedFault> faults;
};

[[nodiscard]] Scenario make_scenario(Random& random);

}  // namespace parley::sim
