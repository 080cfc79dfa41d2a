#include "agents/teams/failure_policy.hpp"

#include <algorithm>
#include <array>

namespace parley::teams {

std::string_view to_string(TurnAttempts::Decision::What decided) {
  constexpr std::array<std::string_view, 4> kNames{"retry", "replace", "skip", "abort"};
  return kNames.at(static_cast<std::size_t>(decided));
}

bool may_help_to_retry(const Error& error) {
  switch (error.code) {
    case ErrorCode::handler_failed:
    case ErrorCode::upstream_failed:
    case ErrorCode::activation_failed:
    case ErrorCode::no_reply:
    case ErrorCode::timeout:
    case ErrorCode::worker_lost:
    case ErrorCode::broker_lost:
      return true;
    default:
      return error.retryable;
  }
}

TurnAttempts::Decision TurnAttempts::after(const Error& error) {
  using What = Decision::What;
  // Nobody waits any more: whatever the policy says, there is nothing to save.
  if (error.code == ErrorCode::cancelled || error.code == ErrorCode::shutting_down) return {What::abort};
  if (retries_ < policy_.retries && may_help_to_retry(error)) {
    const auto factor = std::int64_t{1} << std::min<std::uint32_t>(retries_++, 16);
    return {What::retry, std::min(policy_.backoff * factor, FailurePolicy::kMaxBackoff)};
  }
  switch (policy_.then) {
    case FailurePolicy::Then::skip:
      return {What::skip};
    case FailurePolicy::Then::replace:
      if (is_replaced_) return {What::abort};
      is_replaced_ = true;
      retries_ = 0;
      return {What::replace};
    case FailurePolicy::Then::abort:
      break;
  }
  return {What::abort};
}

}  // namespace parley::teams
