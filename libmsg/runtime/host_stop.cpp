// Start and stop: accept no more, let what runs end, cancel the rest, put everything away, say goodbye.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/runtime/agent_host.hpp"
#include "libmsg/runtime/turn.hpp"

namespace parley {

Task<Result<>> AgentHost::start(std::chrono::milliseconds timeout) {
  if (state_ == State::stopping || state_ == State::stopped) co_return fail(shutting_down());
  if (state_ == State::fresh) {
    state_ = State::running;
    if (timing_ == Timing::real) work_.emplace(io_.get_executor());
    port_->start();
  }
  const bool is_ready =
      co_await wait_for([this] { return is_connected() || state_ != State::running; }, now() + timeout);
  if (state_ != State::running) co_return fail(shutting_down());
  if (is_ready) co_return Result<>{};
  co_return fail(ErrorCode::unreachable, "no broker granted a session within " + std::to_string(timeout.count()) +
                                             " ms; the runtime goes on trying");
}

Task<> AgentHost::stop(std::chrono::milliseconds grace) {
  if (state_ == State::stopped) co_return;
  if (state_ == State::stopping) {
    co_await wait_for([this] { return state_ == State::stopped; });
    co_return;
  }
  const auto self = shared_from_this();  // The owner may let go while this waits.
  const bool was_started = state_ == State::running;
  state_ = State::stopping;
  if (was_started) {
    co_await drain(now() + grace);
    cancel_rest();
    // Lets the coroutines that were cancelled see it.
    co_await wait_for([this] { return scheduler_.running() == 0; }, now() + kCancelTime);
    co_await deactivate_rest();
  }
  for (Connection& connection : connections_) {
    for (auto& taken : connection.calls.take_if([](MessageId, const Call&) { return true; })) {
      end_call(std::move(taken.call), fail(shutting_down()));
    }
  }
  for (std::size_t i = 0; i < connections_.size(); ++i) submit(i);
  port_->stop("stopping");
  state_ = State::stopped;
  for (Resume<TurnPtr>& runner : std::exchange(parked_runners_, {})) runner(nullptr);
  work_.reset();
  timer_.cancel();
  timer_at_ = TimePoint::max();
  check_waiters();
}

void AgentHost::ask_drain(std::size_t connection) {
  write_control(connection, wire::Kind::drain, {}, {});
  std::vector<Activation*> idle;
  scheduler_.for_each([&](Activation& activation) {
    if (activation.body.connection == connection && activation.is_idle()) idle.push_back(&activation);
  });
  for (Activation* const activation : idle) ask_passivation(*activation);
}

/// Activations are put away one by one as their work ends.
Task<> AgentHost::drain(TimePoint until) {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (!connections_[i].session.is_zero()) ask_drain(i);
  }
  co_await wait_for(
      [this] {
        const bool is_done = scheduler_.running() == 0 && scheduler_.waiting() == 0;
        return is_done && has_no_calls() && (scheduler_.activation_count() == 0 || !is_connected());
      },
      until);
}

bool AgentHost::has_no_calls() const {
  return std::ranges::all_of(connections_, [](const Connection& connection) { return connection.calls.is_empty(); });
}

/// What has not ended by itself is answered with `shutting_down`.
void AgentHost::cancel_rest() {
  const Error why = shutting_down();
  for (TurnPtr& waiting : scheduler_.drop_waiting([](const TurnPtr&) { return true; })) {
    leave_mailbox(*waiting);
    refuse(std::move(waiting), why);
  }
  const std::vector<Turn*> running = running_turns_;
  for (Turn* const turn : running) {
    // Cancelling one may end others.
    if (std::ranges::find(running_turns_, turn) == running_turns_.end()) continue;
    cut_short(*turn, why);
  }
}

Task<> AgentHost::deactivate_rest() {
  std::vector<Activation*> left;
  scheduler_.for_each([&left](Activation& activation) {
    if (activation.running == 0) left.push_back(&activation);
  });
  for (Activation* const activation : left) {
    scheduler_.occupy(*activation);
    co_await deactivate(shared_from_this(), activation);
  }
}

}  // namespace parley
