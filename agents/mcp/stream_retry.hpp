// When to ask a server again for its stream of messages, after it has refused, broken off or ended it. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "libmsg/core/backoff.hpp"

namespace parley::mcp {

/// What came of asking once.
struct StreamEnding {
  int status = 0;          ///< 0: no answer
  bool is_stream = false;  ///< the answer was a stream of events
  Duration stood{};        ///< how long it was open
};

class StreamRetry {
 public:
  /// A stream that stood this long was a good one: the next pause is a short one again.
  static constexpr std::chrono::seconds kGoodTime{10};
  static constexpr std::chrono::milliseconds kMaxPause{60'000};

  /// Time until the next attempt; nullopt: this server has no such stream, or not for us (405, 404, 401, …).
  [[nodiscard]] std::optional<Duration> next(const StreamEnding& ending, Random& random) {
    if (!may_come(ending)) return std::nullopt;
    if (ending.is_stream && ending.stood >= kGoodTime) backoff_.reset();
    const Duration pause = backoff_.next(random);
    return std::max<Duration>(pause, std::min(wish_, kMaxPause));
  }
  /// The server wants pauses of at least this.
  void set_wish(std::chrono::milliseconds pause) { wish_ = pause; }

 private:
  static bool may_come(const StreamEnding& ending) {
    if (ending.status == 0 || ending.is_stream) return true;
    // 409: the stream before is not over yet for the server. 501: it knows no GET.
    return ending.status == 409 || ending.status == 429 || (ending.status >= 500 && ending.status != 501);
  }

  Backoff backoff_{{std::chrono::milliseconds(500), kMaxPause}};
  std::chrono::milliseconds wish_{0};
};

}  // namespace parley::mcp
