#include "broker/core/deadline_wheel.hpp"

#include <algorithm>
#include <bit>

namespace parley::broker {
namespace {

constexpr Duration kStep = std::chrono::milliseconds(1);

}  // namespace

DeadlineWheel::DeadlineWheel(Slab<Delivery>& slots, TimePoint start)
    : slots_(slots), start_(start), heads_(kBuckets, kNil) {}

// A deadline is due in the first step that ends at or after it, and never in one that was swept already.
std::uint64_t DeadlineWheel::bucket_of(TimePoint deadline) const {
  const std::int64_t steps = (deadline - start_ + kStep - Duration(1)) / kStep;
  return std::max(static_cast<std::uint64_t>(std::max<std::int64_t>(steps, 0)), swept_ + 1) % kBuckets;
}

void DeadlineWheel::add(std::uint32_t slot) {
  Delivery& delivery = slots_[slot];
  const std::uint64_t bucket = bucket_of(delivery.deadline);
  delivery.has_timer = true;
  delivery.timer_bucket = static_cast<std::uint32_t>(bucket);
  delivery.timer_previous = kNil;
  delivery.timer_next = heads_[bucket];
  if (heads_[bucket] != kNil) slots_[heads_[bucket]].timer_previous = slot;
  heads_[bucket] = slot;
  occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
}

void DeadlineWheel::remove(std::uint32_t slot) {
  Delivery& delivery = slots_[slot];
  if (!delivery.has_timer) return;
  delivery.has_timer = false;
  if (delivery.timer_next != kNil) slots_[delivery.timer_next].timer_previous = delivery.timer_previous;
  if (delivery.timer_previous != kNil) {
    slots_[delivery.timer_previous].timer_next = delivery.timer_next;
    return;
  }
  const std::uint32_t bucket = delivery.timer_bucket;
  heads_[bucket] = delivery.timer_next;
  if (heads_[bucket] == kNil) occupied_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
}

void DeadlineWheel::sweep(std::uint64_t bucket, TimePoint now, std::vector<std::uint32_t>& due) {
  for (std::uint32_t slot = heads_[bucket]; slot != kNil;) {
    const std::uint32_t next = slots_[slot].timer_next;
    if (slots_[slot].deadline <= now) {
      remove(slot);
      due.push_back(slot);
    }
    slot = next;
  }
}

void DeadlineWheel::take_due(TimePoint now, std::vector<std::uint32_t>& due) {
  const std::int64_t elapsed = (now - start_) / kStep;
  const auto until = static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed, 0));
  if (until <= swept_) return;
  const std::uint64_t steps = std::min(until - swept_, kBuckets);
  const std::uint64_t first = until - steps + 1;
  swept_ = until;
  for (std::uint64_t step = first; step <= until; step++) {
    const std::uint64_t bucket = step % kBuckets;
    if (heads_[bucket] != kNil) sweep(bucket, now, due);
  }
}

TimePoint DeadlineWheel::next_wakeup() const {
  const std::uint64_t first = swept_ + 1;
  for (std::uint64_t ahead = 0; ahead < kBuckets;) {
    const std::uint64_t bucket = (first + ahead) % kBuckets;
    const std::uint64_t word = occupied_[bucket / 64] >> (bucket % 64);
    if (word != 0) return start_ + kStep * (first + ahead + static_cast<std::uint64_t>(std::countr_zero(word)));
    ahead += 64 - bucket % 64;
  }
  return TimePoint::max();
}

}  // namespace parley::broker
