// The calls that one connection has under way: every call gets exactly one outcome, whatever happens first (its answer,
// its deadline, a cancel, the end of the session). Hands out the message ids, which ascend for the life of the process,
// so that they ascend in every session (PROTOCOL.md §Message ids).
// Pure; one thread. The agent host keeps its coroutines in it, the simulation its scripted clients.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tsl/robin_map.h>
#include <utility>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/runtime/timer_queue.hpp"

namespace parley {

/// `Call` is what the owner wants back with the outcome; movable.
template <class Call>
class RequestTable {
 public:
  struct Taken {
    MessageId id;
    Call call;
  };

  /// Keeps the call until it is taken. The returned id is greater than all before it.
  MessageId add(Call call, TimePoint deadline) {
    const MessageId id(++last_id_);
    const TimerId timer = deadline == TimePoint::max() ? TimerId{} : deadlines_.add(deadline, id);
    if (free_.empty()) {
      places_.emplace(id.value(), entries_.size());
      entries_.push_back({std::move(call), timer});
    } else {
      places_.emplace(id.value(), free_.back());
      entries_[free_.back()] = {std::move(call), timer};
      free_.pop_back();
    }
    return id;
  }

  /// A message id for an envelope that has no outcome of its own.
  MessageId next_id() { return MessageId(++last_id_); }

  /// The call, still under way; nullptr when it has ended.
  [[nodiscard]] Call* find(MessageId id) {
    const auto found = places_.find(id.value());
    return found == places_.end() ? nullptr : &entries_[found->second].call;
  }

  /// Ends the call: the one who gets it here reports its outcome. nullopt when it has ended before.
  std::optional<Call> take(MessageId id) {
    const auto found = places_.find(id.value());
    if (found == places_.end()) return std::nullopt;
    const std::size_t place = found->second;
    places_.erase(found);
    deadlines_.cancel(entries_[place].deadline);
    return release(place);
  }

  /// Ends the next call whose deadline has passed, earliest first; nullopt when there is none.
  std::optional<Taken> take_expired(TimePoint now) {
    const std::optional<MessageId> id = deadlines_.take_due(now);
    if (!id) return std::nullopt;
    const auto found = places_.find(id->value());
    const std::size_t place = found->second;
    places_.erase(found);
    return Taken{*id, release(place)};
  }

  /// The session ended: ends every call that may have reached the broker (id at most `last_sent`), in the order of
  /// their ids. The others go out with the next session.
  std::vector<Taken> take_sent(MessageId last_sent) {
    return take_if([last_sent](MessageId id, const Call&) { return id <= last_sent; });
  }

  /// Ends every call for which `predicate(id, call)` holds, in the order of their ids.
  template <class Predicate>
  std::vector<Taken> take_if(Predicate predicate) {
    std::vector<Taken> taken;
    for (auto placed = places_.begin(); placed != places_.end();) {
      const MessageId id(placed->first);
      const std::size_t place = placed->second;
      if (!predicate(id, std::as_const(entries_[place].call))) {
        ++placed;
        continue;
      }
      deadlines_.cancel(entries_[place].deadline);
      taken.push_back({id, release(place)});
      placed = places_.erase(placed);
    }
    std::ranges::sort(taken, {}, &Taken::id);
    return taken;
  }

  /// When the next deadline passes; TimePoint::max() for none.
  [[nodiscard]] TimePoint next_deadline() const { return deadlines_.next(); }
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] bool is_empty() const { return places_.empty(); }

 private:
  struct Entry {
    Call call;
    TimerId deadline;
  };

  Call release(std::size_t place) {
    free_.push_back(place);
    return std::move(entries_[place].call);
  }

  std::vector<Entry> entries_;
  std::vector<std::size_t> free_;
  /// Where in `entries_`, by the ids themselves: they ascend, so neighbours in time are neighbours in memory.
  tsl::robin_map<std::uint64_t, std::size_t> places_;
  TimerQueue<MessageId> deadlines_;
  std::uint64_t last_id_ = 0;
};

}  // namespace parley
