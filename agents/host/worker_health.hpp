// What /livez and /readyz of a worker answer: the loop thread reports, the metrics thread asks.
// Thread: beat() and set_ready() from the loop thread, the questions from any.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "libmsg/core/clock.hpp"

namespace parley::host {

class WorkerHealth {
 public:
  /// A loop that has not come round for this long hangs in a handler; a restart is the only cure.
  static constexpr std::chrono::seconds kStuckAfter{30};

  explicit WorkerHealth(TimePoint now) : last_beat_(now) {}

  void beat(TimePoint now) { last_beat_ = now; }
  void set_connected(bool is_connected) { is_connected_ = is_connected; }
  void set_stopping() { is_stopping_ = true; }

  /// Empty: yes. Otherwise why not.
  [[nodiscard]] std::string is_live(TimePoint now) const {
    return now - last_beat_.load() < kStuckAfter ? "" : "a handler keeps the loop busy";
  }
  [[nodiscard]] std::string is_ready() const {
    if (is_stopping_) return "the worker is stopping";
    return is_connected_ ? "" : "there is no connection to the broker";
  }

 private:
  std::atomic<TimePoint> last_beat_;
  std::atomic<bool> is_connected_ = false;
  std::atomic<bool> is_stopping_ = false;
};

}  // namespace parley::host
