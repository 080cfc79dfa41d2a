// The calls that one connection has under way: every call gets exactly one outcome, whatever happens first (its answer,
// its deadline, a cancel, the end of the session). Hands out the message ids, which ascend for the life of the process,
// so that they ascend in every session (PROTOCOL.md §Message ids).
// Pure; one thread. The agent host keeps its coroutines in it, the simulation its scripted clients.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
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
    calls_.try_emplace(id.value(), Entry{std::move(call), timer});
    return id;
  }

  /// A message id for an envelope that has no outcome of its own.
  MessageId next_id() { return MessageId(++last_id_); }

  /// The call, still under way; nullptr when it has ended.
  [[nodiscard]] Call* find(MessageId id) {
    const auto found = calls_.find(id.value());
    return found == calls_.end() ? nullptr : &found->second.call;
  }

  /// Ends the call: the one who gets it here reports its outcome. nullopt when it has ended before.
  std::optional<Call> take(MessageId id) {
    const auto found = calls_.find(id.value());
    if (found == calls_.end()) return std::nullopt;
    deadlines_.cancel(found->second.deadline);
    std::optional<Call> call(std::move(found->second.call));
    calls_.erase(found);
    return call;
  }

  /// Ends the next call whose deadline has passed, earliest first; nullopt when there is none.
  std::optional<Taken> take_expired(TimePoint now) {
    const std::optional<MessageId> id = deadlines_.take_due(now);
    if (!id) return std::nullopt;
    const auto found = calls_.find(id->value());
    Taken taken{*id, std::move(found->second.call)};
    calls_.erase(found);
    return taken;
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
    for (auto entry = calls_.begin(); entry != calls_.end();) {
      const MessageId id(entry->first);
      if (!predicate(id, entry->second.call)) {
        ++entry;
        continue;
      }
      deadlines_.cancel(entry->second.deadline);
      taken.push_back({id, std::move(entry->second.call)});
      entry = calls_.erase(entry);
    }
    std::ranges::sort(taken, {}, &Taken::id);
    return taken;
  }

  /// When the next deadline passes; TimePoint::max() for none.
  [[nodiscard]] TimePoint next_deadline() const { return deadlines_.next(); }
  [[nodiscard]] std::size_t size() const { return calls_.size(); }
  [[nodiscard]] bool is_empty() const { return calls_.empty(); }

 private:
  struct Entry {
    Call call;
    TimerId deadline;
  };
  std::unordered_map<std::uint64_t, Entry> calls_;
  TimerQueue<MessageId> deadlines_;
  std::uint64_t last_id_ = 0;
};

}  // namespace parley
