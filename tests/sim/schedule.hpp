// Virtual time: what happens next, in order, from one seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include "libmsg/core/clock.hpp"
#include "libmsg/runtime/timer_queue.hpp"

namespace parley::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

using Action = std::move_only_function<void()>;

class Schedule {
 public:
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] WallTime wall_now() const {
    return WallTime(std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()));
  }
  [[nodiscard]] Duration elapsed() const { return now_ - kStart; }
  void at(TimePoint when, Action action) { actions_.add(std::max(when, now_), std::move(action)); }
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  /// Runs everything up to `end`; stops early when `is_over()`.
  template <class IsOver>
  void run_until(TimePoint end, IsOver is_over) {
    while (!is_over() && actions_.next() <= end) {
      repeats_ = actions_.next() > now_ ? 0 : repeats_ + 1;
      if (is_stuck()) return;
      now_ = std::max(now_, actions_.next());
      if (auto action = actions_.take_due(now_)) (*action)();
    }
    if (!is_over()) now_ = end;
  }
  /// Something happens again and again and time does not go on.
  [[nodiscard]] bool is_stuck() const { return repeats_ >= kMaxRepeats; }

 private:
  static constexpr TimePoint kStart{std::chrono::hours(1)};
  static constexpr std::uint32_t kMaxRepeats = 100'000;
  TimePoint now_ = kStart;
  std::uint32_t repeats_ = 0;
  TimerQueue<Action> actions_;
};

}  // namespace parley::sim
