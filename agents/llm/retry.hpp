// When to call a provider again. Pure; one thread at a time, one object for each call.
#pragma once

#include <optional>

#include "agents/llm/chat_model.hpp"
#include "agents/llm/openai_options.hpp"
#include "libmsg/core/backoff.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"

namespace parley::llm {

class Retry {
 public:
  explicit Retry(const OpenAiOptions& options)
      : backoff_(options.backoff), max_retries_(options.max_retries), max_retry_after_(options.max_retry_after) {}

  /// The pause before the next attempt: what the provider asks for, else the backoff. nullopt: give up, because the
  /// failure would stay, the attempts are used up, or the wait is too long or would end behind the deadline.
  std::optional<Duration> delay_after(const ModelError& failure, TimePoint now, TimePoint deadline, Random& random) {
    if (!failure.error.retryable || backoff_.failures() >= max_retries_) return std::nullopt;
    Duration delay = backoff_.next(random);
    if (failure.retry_after) {
      if (*failure.retry_after > max_retry_after_) return std::nullopt;
      delay = *failure.retry_after;
    }
    if (delay >= deadline - now) return std::nullopt;
    return delay;
  }

 private:
  Backoff backoff_;
  unsigned max_retries_;
  std::chrono::milliseconds max_retry_after_;
};

}  // namespace parley::llm
