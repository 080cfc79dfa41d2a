// One process as the policy keeps it. Private to policy*.cpp.
#pragma once

#include "libmsg/core/duration.hpp"
#include "services/supervisor/policy.hpp"

namespace parley::supervisor {

/// For reasons that people read.
[[nodiscard]] inline std::string text_of(Duration duration) {
  return format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(duration));
}

struct Policy::Process {
  explicit Process(const PolicyConfig& config) : history(config) {}

  ProcessView view;
  CrashHistory history;
  /// starting: it fails then; stopping: it is killed then; quarantined: its trial begins then.
  std::optional<TimePoint> deadline;
  std::optional<TimePoint> ready_since;
  Stop stop = Stop::sick;
  bool is_silent = false;       ///< when it was found sick
  bool has_ended = false;       ///< since the platform started it last
  bool is_killed = false;       ///< it did not end when it was asked to
  unsigned open_questions = 0;  ///< ends of which nobody has said yet what it was executing
  bool is_trial = false;        ///< after a quarantine, until it has been healthy for long enough

  [[nodiscard]] bool is(ProcessState state) const { return view.state == state; }
  [[nodiscard]] bool is_alive() const {
    return is(ProcessState::starting) || is(ProcessState::running) || is(ProcessState::stopping);
  }
};

}  // namespace parley::supervisor
