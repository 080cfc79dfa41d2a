// Where the loop thread leaves what it knows about its agents, and from where the I/O thread takes it for the next
// heartbeat. A handler that never lets the loop go must not hide behind old news: the I/O thread asks the loop for a
// sign of life with each heartbeat, and while the answer is due, lag and lack of progress grow by themselves. Thread:
// loop thread or any, as each member says.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libmsg/core/clock.hpp"
#include "libmsg/wire/vitals.hpp"

namespace parley {

/// A short text that one thread sets often and others read now and then, without a lock: a sequence lock over words.
class SharedText {
 public:
  /// The one writing thread. Cut to kMaxBytes.
  void set(std::string_view text);
  /// Any thread. Empty when nothing was set, or when the writer is too busy to be read.
  [[nodiscard]] std::string get() const;

  static constexpr std::size_t kMaxBytes = 384;

 private:
  std::atomic<std::uint64_t> version_{0};  ///< odd while a write is under way
  std::atomic<std::uint64_t> size_{0};
  std::array<std::atomic<std::uint64_t>, kMaxBytes / sizeof(std::uint64_t)> words_{};
};

class VitalsBoard {
 public:
  /// A loop that has not answered for this long is busy with one handler.
  static constexpr Duration kNoticeable = std::chrono::milliseconds(100);

  /// Loop thread: this agent's code runs from here on.
  void set_running(std::string_view agent_id) { running_.set(agent_id); }
  /// Loop thread: true when the loop should post() soon, because it was asked to or because the last is old.
  [[nodiscard]] bool is_due(TimePoint now) const {
    return is_asked_.load(std::memory_order_relaxed) ||
           now.time_since_epoch().count() >= due_at_.load(std::memory_order_relaxed);
  }
  /// Loop thread: the news of `now`, without process id and memory, which the reader adds.
  void post(wire::WorkerVitals news, TimePoint now);

  /// Any thread: asks the loop for a sign of life; true when the caller has to wake it.
  [[nodiscard]] bool ask(TimePoint now);
  /// Any thread: the newest news, aged when the loop owes an answer.
  [[nodiscard]] wire::WorkerVitals read(TimePoint now) const;

 private:
  /// How old news may become while the loop has work.
  static constexpr Duration kPeriod = std::chrono::milliseconds(250);

  SharedText running_;
  std::atomic<bool> is_asked_{false};
  std::atomic<Duration::rep> due_at_{0};

  mutable std::mutex mutex_;
  wire::WorkerVitals news_;            ///< guarded by mutex_
  std::optional<TimePoint> asked_at_;  ///< guarded by mutex_
  Duration last_lag_{};                ///< guarded by mutex_
};

}  // namespace parley
