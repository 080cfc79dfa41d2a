// What a supervisor is told and tells. It answers as the agent `sys.supervisor/<node>` and publishes a FleetEvent to
// the topic `sys.events/<node>` for everything that it does. PROTOCOL.md §Shared messages documents each field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/wire/fields.hpp"

namespace parley::messages {

/// The supervisor of a node is `sys.supervisor/<node>`.
inline constexpr std::string_view kSupervisorType = "sys.supervisor";
/// Its events go to `sys.events/<node>`.
inline constexpr std::string_view kEventsTopic = "sys.events";

/// Something happened to a process or to an agent id of the fleet.
struct FleetEvent {
  static constexpr std::string_view kTypeName = "parley.FleetEvent";
  std::uint64_t at_ms = 0;  ///< wall clock, ms since 1970
  /// `agent_started`, `agent_ready`, `agent_crashed`, `agent_unhealthy`, `agent_killed`, `agent_restarted`,
  /// `agent_stopped`, `quarantined`, `probed`, `released`, `adopted`, `broker_away`, `broker_back`, and on
  /// Kubernetes `api_away`, `api_back`.
  std::string event;
  std::string node;
  std::string process;  ///< empty for the node as a whole
  std::string agent;    ///< an agent id or agent type, when it is about one
  std::string reason;
  std::uint64_t restarts = 0;
  std::vector<std::string> last_lines;  ///< of its output, when it crashed or was stopped for its health
  PARLEY_FIELDS(at_ms, event, node, process, agent, reason, restarts, last_lines)
  friend bool operator==(const FleetEvent&, const FleetEvent&) = default;
};

/// Asks for a SupervisorReport.
struct SupervisorList {
  static constexpr std::string_view kTypeName = "parley.SupervisorList";
  std::string process;       ///< only this one; empty: all
  std::uint32_t events = 0;  ///< so many of the latest events, too
  PARLEY_FIELDS(process, events)
  friend bool operator==(const SupervisorList&, const SupervisorList&) = default;
};

struct SupervisedProcess {
  std::string name;
  /// `waiting` (for its turn or its backoff), `starting`, `running`, `stopping`, `stopped` or `quarantined`.
  std::string state;
  std::int64_t pid = 0;             ///< 0: none now
  std::uint64_t restarts = 0;       ///< since the suite was started
  std::uint64_t state_ms = 0;       ///< how long it has been in this state
  std::uint64_t next_start_ms = 0;  ///< until the next start; 0: none is due
  std::string reason;               ///< why it is not running, or was restarted last; for people
  std::string log;                  ///< file with its output; empty where there is none
  std::string peer{};               ///< its name on the bus; empty: `name`
  PARLEY_FIELDS(name, state, pid, restarts, state_ms, next_start_ms, reason, log, peer)
  friend bool operator==(const SupervisedProcess&, const SupervisedProcess&) = default;
};

struct SupervisorReport {
  static constexpr std::string_view kTypeName = "parley.SupervisorReport";
  std::string node;
  std::vector<SupervisedProcess> processes;
  /// Agent ids that this supervisor has quarantined because they were executing when their worker crashed.
  std::vector<std::string> quarantined_agents;
  std::vector<FleetEvent> events;  ///< oldest first
  PARLEY_FIELDS(node, processes, quarantined_agents, events)
  friend bool operator==(const SupervisorReport&, const SupervisorReport&) = default;
};

/// Tells the supervisor to do something with one of its processes. Answered with a SupervisorDone as soon as it has
/// begun, or with `invalid` (no such order), `unknown_agent_type` (no such process) or `refused` (not in its state).
struct SupervisorOrder {
  static constexpr std::string_view kTypeName = "parley.SupervisorOrder";
  /// `restart`, `drain` (stop in good order and leave stopped), `quarantine` (the same, and no probe), `release` (start
  /// again what is stopped or quarantined).
  std::string what;
  std::string process;
  PARLEY_FIELDS(what, process)
  friend bool operator==(const SupervisorOrder&, const SupervisorOrder&) = default;
};

struct SupervisorDone {
  static constexpr std::string_view kTypeName = "parley.SupervisorDone";
  std::string text;  ///< for people
  PARLEY_FIELDS(text)
  friend bool operator==(const SupervisorDone&, const SupervisorDone&) = default;
};

}  // namespace parley::messages
