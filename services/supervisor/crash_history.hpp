// How often one process failed lately: how long its next start waits, and when it has failed too often. Pure.
#pragma once

#include <deque>
#include <utility>

#include "libmsg/core/backoff.hpp"
#include "libmsg/core/random.hpp"
#include "services/supervisor/policy_config.hpp"
#include "services/supervisor/policy_memory.hpp"

namespace parley::supervisor {

class CrashHistory {
 public:
  /// Borrows `config`, which must outlive it.
  explicit CrashHistory(const PolicyConfig& config) : config_(config), backoff_(config.backoff) {}

  /// A failure now, after `healthy_for` in good health. Returns how long to wait before the next start.
  Duration note_crash(TimePoint now, Duration healthy_for, Random& random) {
    if (healthy_for >= config_.healthy_reset) forget();
    crashes_.push_back(now);
    // Only whether there are more than max_crashes matters, so no more than that are kept.
    if (crashes_.size() > config_.max_crashes + std::size_t{1}) crashes_.pop_front();
    if (!std::exchange(is_restarted_once_, true)) return Duration::zero();
    return backoff_.next(random);
  }

  [[nodiscard]] bool is_too_often(TimePoint now) const {
    return crashes_.size() > config_.max_crashes && now - crashes_.front() <= config_.crash_window;
  }

  void forget() {
    crashes_.clear();
    backoff_.reset();
    is_restarted_once_ = false;
  }

  [[nodiscard]] CrashRecord record(std::string process, TimePoint now) const {
    CrashRecord record{std::move(process), {}, backoff_.failures(), is_restarted_once_};
    for (const TimePoint crash : crashes_) record.ages.push_back(now - crash);
    return record;
  }
  void restore(const CrashRecord& record, TimePoint now) {
    crashes_.clear();
    for (const Duration age : record.ages) crashes_.push_back(now - age);
    while (crashes_.size() > config_.max_crashes + std::size_t{1}) crashes_.pop_front();
    backoff_.resume(record.backoff);
    is_restarted_once_ = record.is_restarted_once;
  }

 private:
  const PolicyConfig& config_;
  Backoff backoff_;
  std::deque<TimePoint> crashes_;
  bool is_restarted_once_ = false;
};

}  // namespace parley::supervisor
