// When to call a model again. Pure; one thread at a time, one object for each call.
// Source: the retry rules of openai-python (`_base_client.py`): a wait beyond max_wait gives up, then the provider's
// own word counts (ModelError carries it: x-should-retry is in `retryable`), then Retry-After, then the backoff.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "agents/llm/chat_model.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"

namespace parley::llm {

struct RetryOptions {
  /// Further attempts after a failure that may pass.
  std::uint32_t max_retries = 2;
  /// The waits double from the first to the largest; each is shortened by up to a quarter at random.
  std::chrono::milliseconds first_backoff{500};
  std::chrono::milliseconds max_backoff{8'000};
  /// A provider that asks for a longer wait is given up at once.
  std::chrono::milliseconds max_retry_after{120'000};
};

class Retry {
 public:
  explicit Retry(const RetryOptions& options) : options_(options) {}

  /// The pause before the next attempt. nullopt: give up, because the failure would stay, nobody was asked (the circuit
  /// is open), the attempts are used up, or the wait is too long or would end behind the deadline.
  std::optional<Duration> delay_after(const ModelError& failure, TimePoint now, TimePoint deadline, Random& random) {
    const bool is_over = !failure.error.retryable || failure.kind == ModelError::Kind::refused_here;
    if (is_over || retries_ >= options_.max_retries) return std::nullopt;
    const Duration full = std::min<Duration>(
        Duration(options_.first_backoff) * (std::int64_t{1} << std::min(retries_, 20U)), options_.max_backoff);
    Duration delay =
        full - Duration(static_cast<Duration::rep>(random.unit() * 0.25 * static_cast<double>(full.count())));
    if (failure.retry_after) {
      if (*failure.retry_after > options_.max_retry_after) return std::nullopt;
      delay = *failure.retry_after;
    }
    if (delay >= deadline - now) return std::nullopt;
    ++retries_;
    return delay;
  }

 private:
  RetryOptions options_;
  std::uint32_t retries_ = 0;
};

}  // namespace parley::llm
