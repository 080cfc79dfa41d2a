// Spares a provider that is down, and those who would wait for it: after some failures in a row calls are refused at
// once, and after a while one of them may try. Pure; one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>

#include "agents/llm/model_observer.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::llm {

struct CircuitBreakerOptions {
  /// So many failures in a row open the circuit.
  std::uint32_t failures = 5;
  /// For how long it stays open; doubled each time the trial fails, up to max_open_for.
  std::chrono::milliseconds open_for{10'000};
  std::chrono::milliseconds max_open_for{300'000};
};

class CircuitBreaker {
 public:
  /// One admitted call. Exactly one of succeeded(), failed() and abandoned() must follow.
  struct Permit {
    std::uint64_t generation = 0;
    bool is_trial = false;
  };

  explicit CircuitBreaker(CircuitBreakerOptions options) : options_(options), open_for_(options.open_for) {}

  /// A permit, or how long to wait for one. While half open one trial is under way at most.
  std::expected<Permit, Duration> admit(TimePoint now);
  void succeeded(Permit permit);
  /// `retry_after`: the provider wants to be left alone for at least so long.
  void failed(Permit permit, std::optional<Duration> retry_after, TimePoint now);
  /// The call said nothing about the provider: it was cancelled, or the request was wrong.
  void abandoned(Permit permit);

  /// `open` until admit() has let a trial through.
  [[nodiscard]] CircuitState state() const { return state_; }

 private:
  void open(std::optional<Duration> retry_after, TimePoint now);

  CircuitBreakerOptions options_;
  CircuitState state_ = CircuitState::closed;
  /// Counts the changes of state: what calls of an earlier one tell is old.
  std::uint64_t generation_ = 0;
  std::uint32_t failures_ = 0;
  bool is_trial_under_way_ = false;
  Duration open_for_;
  TimePoint open_until_{};
};

}  // namespace parley::llm
