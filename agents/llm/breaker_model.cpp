#include "agents/llm/breaker_model.hpp"

#include <utility>

#include "libmsg/core/retry_hint.hpp"

namespace parley::llm {

namespace {

/// The provider's fault, as opposed to the request's or the caller's.
bool is_providers_failure(const ModelError& failure) {
  if (failure.kind != ModelError::Kind::other) return false;
  switch (failure.error.code) {
    case ErrorCode::overloaded:
    case ErrorCode::upstream_failed:
    case ErrorCode::unreachable:
    case ErrorCode::timeout:
    case ErrorCode::unauthorized:
    case ErrorCode::budget_exceeded:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// Gives the permit back whichever way the call ends, its coroutine's destruction included.
class BreakerModel::Trial {
 public:
  Trial(BreakerModel& model, CircuitBreaker::Permit permit) : model_(model), permit_(permit) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial() {
    if (!is_settled_) model_.breaker_.abandoned(permit_);
  }

  void settle(const Outcome& outcome) {
    is_settled_ = true;
    if (outcome) {
      model_.breaker_.succeeded(permit_);
    } else if (is_providers_failure(outcome.error())) {
      model_.breaker_.failed(permit_, outcome.error().retry_after, model_.clock_.now());
    } else {
      model_.breaker_.abandoned(permit_);
    }
    model_.tell();
  }

 private:
  BreakerModel& model_;
  CircuitBreaker::Permit permit_;
  bool is_settled_ = false;
};

BreakerModel::BreakerModel(std::shared_ptr<ChatModel> inner, std::string name, CircuitBreakerOptions options,
                           std::shared_ptr<ModelObserver> observer, const Clock& clock)
    : inner_(std::move(inner)),
      name_(std::move(name)),
      breaker_(options),
      observer_(std::move(observer)),
      clock_(clock) {}

Task<std::expected<Completion, ModelError>> BreakerModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const auto permit = breaker_.admit(clock_.now());
  tell();
  if (!permit) {
    observer_->circuit_refused();
    co_return std::unexpected(refusal(permit.error()));
  }
  Trial trial(*this, *permit);
  Outcome outcome = co_await inner_->complete(std::move(request), std::move(on_chunk));
  trial.settle(outcome);
  co_return outcome;
}

ModelError BreakerModel::refusal(Duration wait) const {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(wait);
  Error error(ErrorCode::overloaded, "model '" + name_ + "' has failed repeatedly and is left alone for another " +
                                         std::to_string(milliseconds.count()) + " ms");
  set_retry_after(error, milliseconds);
  return {.error = std::move(error), .retry_after = milliseconds, .kind = ModelError::Kind::refused_here};
}

void BreakerModel::tell() {
  if (std::exchange(told_, breaker_.state()) != breaker_.state()) observer_->circuit_changed(breaker_.state());
}

}  // namespace parley::llm
