// From the broker's `ps` to a checkup of each process: a peer is matched to a process by its pid, and one that the
// broker has lost although its process runs is found silent. Also keeps what each was executing, for the question who
// is to blame. Pure. One thread.
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
  bool is_held = false;  ///< by SIGSTOP
};

class Checkups {
 public:
  /// A peer may be absent for this long (it reconnects) before it counts as silent. One that is held by a signal counts
  /// as silent at once.
  static constexpr std::chrono::milliseconds kAbsence{1500};

  /// A verdict on each running process that the broker has seen.
  std::vector<std::pair<std::string, Checkup>> look(const wire::PsReport& report,
                                                    const std::vector<RunningProcess>& processes, TimePoint now);
  /// Agent ids that the process was handling when it was last heard of.
  [[nodiscard]] std::vector<std::string> executing_of(const std::string& process) const;
  /// Another process has taken its place.
  void forget(const std::string& process) { seen_.erase(process); }

 private:
  struct Sight {
    std::int64_t pid = 0;
    TimePoint last{};
    std::uint64_t epoch = 0;  ///< of the broker that saw it
    std::vector<std::string> executing;
  };
  std::map<std::string, Sight> seen_;
};

}  // namespace parley::supervisor
