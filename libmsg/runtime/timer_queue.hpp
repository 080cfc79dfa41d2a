// Things that fall due at a point in time, earliest first; equal times in the order in which they were added. A binary
// heap in which cancelled entries stay until they fall due or outnumber the others: adding a late entry and cancelling
// cost next to nothing, because most deadlines are never reached. Pure; one thread. Used by the request table, the turn
// scheduler and the agent host, in real and in virtual time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "libmsg/core/clock.hpp"

namespace parley {

/// Names an entry of one TimerQueue; never reused while the entry lives. The default names nothing.
struct TimerId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend bool operator==(TimerId, TimerId) = default;
};

template <class T>
class TimerQueue {
 public:
  TimerId add(TimePoint at, T value) {
    std::uint32_t slot = free_;
    if (slot == kNone) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      free_ = slots_[slot].next_free;
    }
    slots_[slot].value = std::move(value);
    const TimerId id{slot, slots_[slot].generation};
    heap_.push_back({at, ++sequence_, id});
    std::ranges::push_heap(heap_, is_later);
    live_++;
    return id;
  }

  /// False when the entry has run or was cancelled before.
  bool cancel(TimerId id) {
    if (!contains(id)) return false;
    release(id.slot);
    sweep();
    return true;
  }

  [[nodiscard]] bool contains(TimerId id) const {
    return id.generation != 0 && id.slot < slots_.size() && slots_[id.slot].generation == id.generation;
  }

  /// The next entry that is due at `now`, if any; it is gone from the queue then.
  std::optional<T> take_due(TimePoint now) {
    while (!heap_.empty() && heap_.front().at <= now) {
      const TimerId id = heap_.front().id;
      std::ranges::pop_heap(heap_, is_later);
      heap_.pop_back();
      if (!contains(id)) continue;  // Cancelled.
      std::optional<T> value(std::move(slots_[id.slot].value));
      release(id.slot);
      return value;
    }
    return std::nullopt;
  }

  /// When to ask take_due() again: never after the first entry falls due, but perhaps before, for one that was
  /// cancelled meanwhile. TimePoint::max() for an empty queue.
  [[nodiscard]] TimePoint next() const { return live_ == 0 ? TimePoint::max() : heap_.front().at; }
  [[nodiscard]] std::size_t size() const { return live_; }
  [[nodiscard]] bool is_empty() const { return live_ == 0; }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFU;
  /// Fewer cancelled entries than this are not worth a sweep.
  static constexpr std::size_t kKeptCancelled = 64;

  struct Node {
    TimePoint at;
    std::uint64_t sequence;
    TimerId id;
  };
  struct Slot {
    T value{};
    std::uint32_t generation = 1;
    std::uint32_t next_free = kNone;
  };

  static bool is_later(const Node& one, const Node& other) {
    return one.at != other.at ? one.at > other.at : one.sequence > other.sequence;
  }

  void release(std::uint32_t slot) {
    Slot& entry = slots_[slot];
    [[maybe_unused]] const T gone = std::exchange(entry.value, T{});  // Destroyed last: that may add and cancel others.
    if (++entry.generation == 0) entry.generation = 1;
    entry.next_free = free_;
    free_ = slot;
    live_--;
  }

  /// Each cancelled entry pays for one of the next sweep.
  void sweep() {
    if (live_ == 0) return heap_.clear();
    if (heap_.size() < 2 * live_ + kKeptCancelled) return;
    std::erase_if(heap_, [this](const Node& node) { return !contains(node.id); });
    std::ranges::make_heap(heap_, is_later);
  }

  std::vector<Node> heap_;
  std::vector<Slot> slots_;
  std::uint32_t free_ = kNone;
  std::size_t live_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace parley
