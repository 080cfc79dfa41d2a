// Deadlines of deliveries in a hashed timer wheel: insert and remove are O(1) and touch only the slots themselves,
// which is what a bus needs where nearly every deadline is removed before it passes. One millisecond a bucket; a
// deadline beyond one turn of the wheel is looked at once a turn. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "broker/core/delivery_table.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::broker {

class DeadlineWheel {
 public:
  /// `slots` must outlive the wheel.
  DeadlineWheel(Slab<Delivery>& slots, TimePoint start);

  /// Arms the slot's timer at its `deadline`; it must not be armed.
  void add(std::uint32_t slot);
  /// Does nothing when it is not armed.
  void remove(std::uint32_t slot);
  /// Disarms and appends to `due` every slot whose deadline is at or before `now`, at most a millisecond late.
  void take_due(TimePoint now, std::vector<std::uint32_t>& due);
  /// When take_due should run next at the latest; TimePoint::max() when nothing is armed.
  [[nodiscard]] TimePoint next_wakeup() const;

 private:
  static constexpr std::uint64_t kBuckets = 8192;

  [[nodiscard]] std::uint64_t bucket_of(TimePoint deadline) const;
  void sweep(std::uint64_t bucket, TimePoint now, std::vector<std::uint32_t>& due);

  Slab<Delivery>& slots_;
  TimePoint start_;
  /// Milliseconds since start_ that have been swept.
  std::uint64_t swept_ = 0;
  std::vector<std::uint32_t> heads_;
  std::array<std::uint64_t, kBuckets / 64> occupied_{};
};

}  // namespace parley::broker
