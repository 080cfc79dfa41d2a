// Exponential backoff with jitter. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"

namespace parley {

struct BackoffPolicy {
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds max{5000};
};

/// Delays `first`, then doubling up to `max`, each shortened by up to half at random so that many peers spread out.
class Backoff {
 public:
  explicit Backoff(BackoffPolicy policy) : policy_(policy) {}

  /// The next delay.
  Duration next(Random& random) {
    const auto doubled =
        std::chrono::duration_cast<Duration>(policy_.first) * (std::int64_t{1} << std::min(failures_, 20U));
    const Duration full = std::min<Duration>(doubled, policy_.max);
    failures_++;
    return full - Duration(static_cast<Duration::rep>(random.unit() * 0.5 * static_cast<double>(full.count())));
  }
  void reset() { failures_ = 0; }
  [[nodiscard]] unsigned failures() const { return failures_; }
  /// Goes on where another one was.
  void resume(unsigned failures) { failures_ = failures; }

 private:
  BackoffPolicy policy_;
  unsigned failures_ = 0;
};

}  // namespace parley
