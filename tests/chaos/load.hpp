// Callers that never stop: each sends a request with a deadline of 10 s, awaits its outcome, and sends the next. A
// caller whose worker or broker is lost repeats the request within the same deadline, as callers of idempotent requests
// do. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/runtime/runtime.hpp"

namespace parley::chaos {

struct LoadNumbers {
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;    ///< with an error that stood until the deadline, or one that a repetition cannot help
  std::uint64_t repeated = 0;  ///< attempts after a first one
  std::uint64_t wrong = 0;     ///< answered with somebody else's answer
  std::uint64_t late = 0;      ///< ended more than a second after the deadline
  std::uint64_t open = 0;      ///< without an outcome when the load was stopped
  std::map<std::string, std::uint64_t> failures;  ///< by code
  std::map<std::string, std::uint64_t> losses;    ///< attempts that were repeated, by code
};

class Load {
 public:
  static constexpr std::chrono::seconds kDeadline{10};
  /// Longer than any outcome may take.
  static constexpr std::chrono::seconds kPatience{20};

  /// Everything must outlive it.
  Load(asio::io_context& io, const Clock& clock, Client& client, std::string type);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void start(int callers);
  /// Completes when every caller has had its last outcome, or with those that still wait for one after `patience`.
  Task<> stop(Duration patience = kPatience);

  /// What happened at `moment` is over now: the first answer to a request that begins from here on is waited for.
  void mark(TimePoint moment);
  /// Completes with the time from that moment to that answer; nullopt after `patience`.
  Task<std::optional<Duration>> time_to_answer(Duration patience);

  [[nodiscard]] const LoadNumbers& numbers() const { return numbers_; }

 private:
  Task<> call_for_ever(int caller);
  Task<> call(Target target, std::string text);
  void note_answer(TimePoint began);

  asio::io_context& io_;
  const Clock& clock_;
  Client& client_;
  std::string type_;
  LoadNumbers numbers_;
  TimePoint moment_{};
  TimePoint marked_{};
  std::optional<Duration> first_answer_;
  int running_ = 0;
  bool is_stopping_ = false;
};

/// Waits on the loop.
Task<> pause(asio::io_context& io, Duration time);

}  // namespace parley::chaos
