// Things that fall due at a point in time, earliest first; equal times in the order in which they were added. An
// indexed binary heap: adding a late entry and cancelling cost next to nothing, because most deadlines are never
// reached. Pure; one thread. Used by the request table, the turn scheduler and the agent host, in real and in virtual
// time.
#pragma once

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
      free_ = slots_[slot].position;
    }
    Slot& entry = slots_[slot];
    entry.value = std::move(value);
    heap_.push_back({at, ++sequence_, slot});
    entry.position = static_cast<std::uint32_t>(heap_.size() - 1);
    sift_up(heap_.size() - 1);
    return {slot, entry.generation};
  }

  /// False when the entry has run or was cancelled before.
  bool cancel(TimerId id) {
    if (!contains(id)) return false;
    erase(slots_[id.slot].position);
    return true;
  }

  [[nodiscard]] bool contains(TimerId id) const {
    return id.generation != 0 && id.slot < slots_.size() && slots_[id.slot].generation == id.generation;
  }

  /// The next entry that is due at `now`, if any; it is gone from the queue then.
  std::optional<T> take_due(TimePoint now) {
    if (heap_.empty() || heap_.front().at > now) return std::nullopt;
    std::optional<T> value(std::move(slots_[heap_.front().slot].value));
    erase(0);
    return value;
  }

  /// When the first entry falls due; TimePoint::max() for an empty queue.
  [[nodiscard]] TimePoint next() const { return heap_.empty() ? TimePoint::max() : heap_.front().at; }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  [[nodiscard]] bool is_empty() const { return heap_.empty(); }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFU;

  struct Node {
    TimePoint at;
    std::uint64_t sequence;
    std::uint32_t slot;
    [[nodiscard]] bool is_before(const Node& other) const {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };
  struct Slot {
    T value{};
    std::uint32_t generation = 1;
    std::uint32_t position = 0;  ///< in the heap, or the next free slot
  };

  void place(std::size_t position, Node node) {
    heap_[position] = node;
    slots_[node.slot].position = static_cast<std::uint32_t>(position);
  }

  void sift_up(std::size_t position) {
    const Node node = heap_[position];
    while (position > 0) {
      const std::size_t parent = (position - 1) / 2;
      if (!node.is_before(heap_[parent])) break;
      place(position, heap_[parent]);
      position = parent;
    }
    place(position, node);
  }

  void sift_down(std::size_t position) {
    const Node node = heap_[position];
    for (;;) {
      std::size_t child = 2 * position + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1].is_before(heap_[child])) ++child;
      if (!heap_[child].is_before(node)) break;
      place(position, heap_[child]);
      position = child;
    }
    place(position, node);
  }

  void erase(std::size_t position) {
    const std::uint32_t slot = heap_[position].slot;
    const Node last = heap_.back();
    heap_.pop_back();
    if (position < heap_.size()) {
      place(position, last);
      sift_up(position);
      sift_down(slots_[last.slot].position);
    }
    Slot& entry = slots_[slot];
    entry.value = T{};
    if (++entry.generation == 0) entry.generation = 1;
    entry.position = free_;
    free_ = slot;
  }

  std::vector<Node> heap_;
  std::vector<Slot> slots_;
  std::uint32_t free_ = kNone;
  std::uint64_t sequence_ = 0;
};

}  // namespace parley
