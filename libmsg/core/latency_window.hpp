// How long things took lately: the present period and the one before, so that a slow hour of yesterday does not hide in
// a day's percentiles. 16 KiB; recording is an increment. One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/histogram.hpp"

namespace parley {

struct LatencySummary {
  std::uint64_t count = 0;
  std::uint64_t avg_us = 0;
  std::uint64_t p50_us = 0;
  std::uint64_t p95_us = 0;
};

class LatencyWindow {
 public:
  static constexpr Duration kPeriod = std::chrono::minutes(1);

  void record(Duration latency, TimePoint now) {
    turn(now);
    const auto us = static_cast<std::uint64_t>(std::max<Duration::rep>(latency / std::chrono::microseconds(1), 0));
    present_.values.record(us);
    present_.sum_us += us;
  }

  /// Of the last one to two periods; all 0 when nothing happened in them.
  [[nodiscard]] LatencySummary summary(TimePoint now) {
    turn(now);
    Values both = present_.values;
    both.merge(past_.values);
    if (both.count() == 0) return {};
    return {both.count(), (present_.sum_us + past_.sum_us) / both.count(), both.percentile(50), both.percentile(95)};
  }

 private:
  /// Within 3 %, up to 19 hours.
  using Values = BasicHistogram<6, 36>;
  struct Period {
    Values values;
    std::uint64_t sum_us = 0;
  };

  void turn(TimePoint now) {
    if (now < turns_at_) return;
    const bool is_next = now < turns_at_ + kPeriod;
    past_ = is_next ? std::exchange(present_, {}) : Period();
    if (!is_next) present_ = {};
    turns_at_ = now + kPeriod;
  }

  Period present_;
  Period past_;
  TimePoint turns_at_{TimePoint::min()};
};

}  // namespace parley
