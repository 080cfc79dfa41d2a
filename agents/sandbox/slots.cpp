#include "agents/sandbox/slots.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <cstdint>
#include <map>
#include <utility>

#include "libmsg/runtime/suspend.hpp"

namespace parley::sandbox {

struct Slots::State {
  struct Waiter {
    asio::any_io_executor executor;
    Resume<Result<>> resume;
  };

  std::size_t free = 0;
  std::uint64_t last = 0;
  std::map<std::uint64_t, Waiter> waiting;  ///< in the order of their arrival

  void wake(std::uint64_t number, Result<> result) {
    const auto found = waiting.find(number);
    if (found == waiting.end()) return;
    Waiter waiter = std::move(found->second);
    waiting.erase(found);
    asio::post(waiter.executor, [resume = std::move(waiter.resume), result = std::move(result)]() mutable {
      resume(std::move(result));
    });
  }
  void release() {
    if (waiting.empty()) {
      ++free;
    } else {
      wake(waiting.begin()->first, {});
    }
  }
};

Slots::Place::~Place() {
  if (state_) state_->release();
}

Slots::Slots(std::size_t places) : state_(std::make_shared<State>()) { state_->free = places; }

Task<Result<Slots::Place>> Slots::acquire() {
  const std::shared_ptr<State> state = state_;
  if (state->free > 0) {
    --state->free;
    co_return Place(state);
  }
  if (state->waiting.size() >= kMaxWaiting) {
    co_return fail(ErrorCode::overloaded, "too many runs wait for a sandbox already");
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto wait = [state, executor](Resume<Result<>> resume, asio::cancellation_slot slot) {
    const std::uint64_t number = ++state->last;
    state->waiting.emplace(number, State::Waiter{executor, std::move(resume)});
    if (!slot.is_connected()) return;
    slot.assign([state, number](asio::cancellation_type) {
      state->wake(number, fail(ErrorCode::cancelled, "the wait for a sandbox was cancelled"));
    });
  };
  const Result<> woken = co_await suspend<Result<>>(std::move(wait));
  if (!woken) co_return fail(woken.error());
  co_return Place(state);
}

}  // namespace parley::sandbox
