// What becomes of a turn that failed: tried again after a pause, given to another agent type, left out, or the end of
// the conversation. Pure; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace parley::teams {

struct FailurePolicy {
  enum class Then : std::uint8_t { abort, skip, replace };
  /// Times that a turn is repeated before `then`, if its error leaves hope.
  std::uint32_t retries = 0;
  /// Pause before the first repetition; doubled before each further one, at most kMaxBackoff.
  std::chrono::milliseconds backoff{500};
  Then then = Then::abort;
  /// For `replace`: the target that takes the turn instead. When it fails as well, the conversation ends.
  std::string replacement = {};

  static constexpr std::chrono::milliseconds kMaxBackoff{60'000};
};

/// One turn under a policy.
class TurnAttempts {
 public:
  struct Decision {
    enum class What : std::uint8_t { retry, replace, skip, abort };
    What what = What::abort;
    std::chrono::milliseconds pause{0};  ///< before the next attempt
  };

  explicit TurnAttempts(const FailurePolicy& policy) : policy_(policy) {}
  /// What to do after an attempt has failed with `error`.
  [[nodiscard]] Decision after(const Error& error);
  [[nodiscard]] bool is_replaced() const { return is_replaced_; }

 private:
  FailurePolicy policy_;
  std::uint32_t retries_ = 0;
  bool is_replaced_ = false;
};

/// The stable name, for example `retry`; part of metrics.
[[nodiscard]] std::string_view to_string(TurnAttempts::Decision::What decided);

/// False for failures that the same request would meet again: wrong rights, an exhausted budget, a malformed request, …
[[nodiscard]] bool may_help_to_retry(const Error& error);

}  // namespace parley::teams
