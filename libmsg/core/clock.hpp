// Time as a value. Cores take `now`; shells hold a Clock&. Only the clocks in this file read the machine's time.
#pragma once

#include <chrono>

namespace parley {

using Duration = std::chrono::nanoseconds;
/// Monotonic time; its zero has no meaning outside the process.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// Where shells get the time. Implementations are safe to read from any thread unless they say otherwise.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall_now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

/// Virtual time for tests and simulations: stands still until advanced. One thread at a time.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override {
    return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()));
  }
  void advance(Duration step) { now_ += step; }
  void set(TimePoint now) { now_ = now; }

 private:
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace parley
