// What /livez and /readyz of a worker answer: the loop thread reports, the metrics thread asks.
// Thread: beat() and set_ready() from the loop thread, the questions from any.
#pragma once

#include <atomic>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/health.hpp"
#include "libmsg/wire/vitals.hpp"

namespace parley::host {

class WorkerHealth {
 public:
  explicit WorkerHealth(TimePoint now) : last_beat_(now) {}

  void beat(TimePoint now) { last_beat_ = now; }
  void set_connected(bool is_connected) { is_connected_ = is_connected; }
  void set_stopping() { is_stopping_ = true; }

  /// Empty: yes. Otherwise why not. A loop that does not come round hangs in a handler, and only a restart helps;
  /// nothing else counts here, least of all what a model or the broker does.
  [[nodiscard]] std::string is_live(TimePoint now) const {
    HealthFacts facts;
    facts.loop_lag = now - last_beat_.load();
    const HealthVerdict verdict = assess(facts, HealthLimits());
    return verdict.should_restart ? verdict.reason : "";
  }
  /// No work for a worker that is unhealthy by what it would tell the broker; a degraded one still works.
  [[nodiscard]] std::string is_ready(const wire::WorkerVitals& vitals) const {
    if (is_stopping_) return "the worker is stopping";
    if (!is_connected_) return "there is no connection to the broker";
    const HealthVerdict verdict = wire::assess(vitals, HealthFacts(), HealthLimits());
    return verdict.state == HealthState::unhealthy || verdict.state == HealthState::starting ? verdict.reason : "";
  }

 private:
  std::atomic<TimePoint> last_beat_;
  std::atomic<bool> is_connected_ = false;
  std::atomic<bool> is_stopping_ = false;
};

}  // namespace parley::host
