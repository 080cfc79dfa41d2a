#include "agents/llm/circuit_breaker.hpp"

#include <algorithm>

namespace parley::llm {

namespace {
/// How long those wait who come while the trial is under way.
constexpr Duration kTrialWait = std::chrono::milliseconds(100);
}  // namespace

std::expected<CircuitBreaker::Permit, Duration> CircuitBreaker::admit(TimePoint now) {
  if (state_ == CircuitState::closed) return Permit{.generation = generation_};
  if (state_ == CircuitState::open) {
    if (now < open_until_) return std::unexpected(open_until_ - now);
    state_ = CircuitState::half_open;
    ++generation_;
  }
  if (is_trial_under_way_) return std::unexpected(kTrialWait);
  is_trial_under_way_ = true;
  return Permit{.generation = generation_, .is_trial = true};
}

void CircuitBreaker::succeeded(Permit permit) {
  if (permit.generation != generation_) return;
  failures_ = 0;
  if (!permit.is_trial) return;
  state_ = CircuitState::closed;
  ++generation_;
  is_trial_under_way_ = false;
  open_for_ = options_.open_for;
}

void CircuitBreaker::failed(Permit permit, std::optional<Duration> retry_after, TimePoint now) {
  if (permit.generation != generation_) return;
  if (permit.is_trial) {
    open_for_ = std::min<Duration>(open_for_ * 2, options_.max_open_for);
    open(retry_after, now);
  } else if (++failures_ >= options_.failures) {
    open(retry_after, now);
  }
}

void CircuitBreaker::abandoned(Permit permit) {
  if (permit.generation == generation_ && permit.is_trial) is_trial_under_way_ = false;
}

void CircuitBreaker::open(std::optional<Duration> retry_after, TimePoint now) {
  state_ = CircuitState::open;
  ++generation_;
  failures_ = 0;
  is_trial_under_way_ = false;
  const Duration wanted = std::max(open_for_, retry_after.value_or(Duration::zero()));
  open_until_ = now + std::min<Duration>(wanted, options_.max_open_for);
}

}  // namespace parley::llm
