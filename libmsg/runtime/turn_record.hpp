// What the host remembers of the turns of one agent type and of one activation: how many ended well, how many did not
// and whose fault it was, how long they took. Pure; loop thread only.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/latency_window.hpp"

namespace parley {

/// Whose fault the end of a turn was.
enum class TurnFault : std::uint8_t {
  none,    ///< it ended well
  own,     ///< the agent's
  model,   ///< the model's that it asked
  others,  ///< the caller's (a malformed message, a cancelled request) or of the circumstances: says nothing about the
           ///< agent
};

/// `has_model_failed`: a model call of the turn had failed, so that what the handler made of it is no fault of its own.
[[nodiscard]] constexpr TurnFault fault_of(std::optional<ErrorCode> code, bool has_model_failed) {
  if (!code) return TurnFault::none;
  switch (*code) {
    case ErrorCode::handler_failed:
    case ErrorCode::activation_failed:
    case ErrorCode::no_reply:
      return has_model_failed ? TurnFault::model : TurnFault::own;
    case ErrorCode::upstream_failed:
      return TurnFault::model;
    default:
      return has_model_failed ? TurnFault::model : TurnFault::others;
  }
}

/// Counts of turns and calls of models, and how many of them failed in a row.
struct TurnTally {
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t model_failures = 0;
  std::uint32_t consecutive_failures = 0;
  std::uint32_t consecutive_model_failures = 0;
  std::optional<TimePoint> last_activity;

  /// `is_counted`: the model's failure was counted when it happened.
  void add_turn(TurnFault fault, bool is_counted, TimePoint now) {
    last_activity = now;
    switch (fault) {
      case TurnFault::none:
        successes++;
        consecutive_failures = 0;
        if (!is_counted) consecutive_model_failures = 0;
        break;
      case TurnFault::own:
        failures++;
        consecutive_failures++;
        break;
      case TurnFault::model:
        if (!is_counted) add_model_failure();
        break;
      case TurnFault::others:
        break;
    }
  }
  void add_model_failure() {
    model_failures++;
    consecutive_model_failures++;
  }
  void add_model_success() { consecutive_model_failures = 0; }

  [[nodiscard]] bool is_failing() const { return consecutive_failures > 0 || consecutive_model_failures > 0; }
};

/// Tokens and money, as far as the agents' models tell.
struct Spend {
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t cost_nano_usd = 0;

  Spend& operator+=(const Spend& more) {
    input_tokens += more.input_tokens;
    output_tokens += more.output_tokens;
    cost_nano_usd += more.cost_nano_usd;
    return *this;
  }
};

/// Of one agent type.
struct TypeRecord {
  TurnTally tally;
  LatencyWindow latency;
  Spend spend;
};

/// The last few latencies of one activation, of which a worker may have very many.
class RecentLatencies {
 public:
  void record(Duration latency) {
    const Duration::rep us = std::clamp<Duration::rep>(latency / std::chrono::microseconds(1), 0, UINT32_MAX);
    values_.at(count_++ % values_.size()) = static_cast<std::uint32_t>(us);
  }
  [[nodiscard]] std::uint64_t avg_us() const {
    const std::size_t kept = std::min(count_, values_.size());
    if (kept == 0) return 0;
    return std::accumulate(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(kept), std::uint64_t{0}) /
           kept;
  }
  /// Of so few values that is the largest.
  [[nodiscard]] std::uint64_t p95_us() const { return *std::ranges::max_element(values_.begin(), values_.end()); }

 private:
  std::array<std::uint32_t, 16> values_{};
  std::size_t count_ = 0;
};

/// Of one activation.
struct ActivationRecord {
  TurnTally tally;
  RecentLatencies latency;
};

}  // namespace parley
