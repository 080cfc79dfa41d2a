// From the broker's `ps` to a checkup of each process: a peer is matched to a process by its pid (or, where processes
// have none that means anything, by its name), and one that the broker has lost although its process runs is found
// silent. Also finds out what a process was executing when it ended: the broker names the agents whose messages a lost
// worker had in hand; if it does not in time, the worker's last heartbeat has to do. Pure. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/wire/ps_report.hpp"
#include "services/supervisor/policy.hpp"

namespace parley::supervisor {

/// A running process and its pid.
struct RunningProcess {
  std::string name;
  std::int64_t pid = 0;
  bool is_held = false;   ///< by SIGSTOP
  std::string peer = {};  ///< its name on the bus; empty: `name`
};

class Checkups {
 public:
  /// A peer may be absent for this long (it reconnects) before it counts as silent. One that is held by a signal counts
  /// as silent at once.
  static constexpr std::chrono::milliseconds kAbsence{1500};

  /// How long a process may take to be seen by a run of the broker, from that run's first report without it.
  static constexpr std::chrono::seconds kPatience{30};

  /// How long the broker may take to say what a lost worker had in hand.
  static constexpr std::chrono::milliseconds kInquestTime{2000};

  /// What an ended process was executing.
  struct Finding {
    std::string process;
    std::vector<std::string> executing;
    friend bool operator==(const Finding&, const Finding&) = default;
  };

  /// `absence`: how long a peer may be absent; see kAbsence.
  explicit Checkups(Duration absence = kAbsence) : absence_(absence) {}

  /// A verdict on each running process that the broker has seen, and on each that it should have seen by now.
  std::vector<std::pair<std::string, Checkup>> look(const wire::PsReport& report,
                                                    const std::vector<RunningProcess>& processes, TimePoint now);
  /// Who may say what an ended process was executing.
  enum class Witness : std::uint8_t {
    anybody,      ///< the broker, and if it does not in time, the last heartbeat
    broker_only,  ///< which says nothing of a process that left in good order
  };
  /// The process that was `pid` (0: unknown) has ended: what was it executing? Answered by findings(), once.
  void inquire(const std::string& process, std::int64_t pid, TimePoint now, Witness witness = Witness::anybody);
  /// The answers that there are by now.
  std::vector<Finding> findings(TimePoint now);
  /// Another process has taken its place.
  void forget(const std::string& process) {
    seen_.erase(process);
    missed_.erase(process);
  }

 private:
  struct Sight {
    std::int64_t pid = 0;
    TimePoint last{};
    std::uint64_t epoch = 0;  ///< of the broker that saw it
    std::uint64_t incarnation = 0;
    std::vector<std::string> executing;
    bool is_sick = false;  ///< and talking
  };
  struct Inquest {
    std::string process;
    std::int64_t pid = 0;
    std::uint64_t incarnation = 0;  ///< 0: the broker never saw it
    TimePoint until{};
    std::vector<std::string> executing;
    bool is_settled = false;
  };
  /// A process that a run of the broker has not seen.
  struct Miss {
    std::int64_t pid = 0;
    std::uint64_t epoch = 0;  ///< of that broker
    TimePoint since{};        ///< its first report
  };
  static bool is_about(const wire::PsLoss& loss, const Inquest& inquest);
  void hear_of_losses(const wire::PsReport& report);
  /// A running process that the broker does not list.
  bool is_lost(const RunningProcess& process, std::uint64_t epoch, TimePoint now);

  Duration absence_;
  std::map<std::string, Sight> seen_;
  std::map<std::string, Miss> missed_;
  std::vector<Inquest> inquests_;
};

}  // namespace parley::supervisor
