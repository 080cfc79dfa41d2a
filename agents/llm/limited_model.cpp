#include "agents/llm/limited_model.hpp"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace parley::llm {

struct LimitedModel::Line {
  Line(CallLimits limits, std::shared_ptr<ModelObserver> who)
      : queue(limits.max_running, limits.max_waiting), observer(std::move(who)) {}

  void tell() const { observer->queue_changed(queue.running(), queue.waiting()); }

  CallQueue queue;
  /// Of those who wait; cancelled to wake one up, taken out when its turn has come. Null while it does not sleep.
  std::unordered_map<CallQueue::Ticket, asio::steady_timer*> waiting;
  std::shared_ptr<ModelObserver> observer;
};

/// One call's place in the line, or among those that run; given up when it ends in any way.
class LimitedModel::Place {
 public:
  explicit Place(std::shared_ptr<Line> line) : line_(std::move(line)), entry_(line_->queue.enter()) {
    if (entry_ == CallQueue::Entry::waiting) {
      ticket_ = line_->queue.last_ticket();
      line_->waiting.emplace(ticket_, nullptr);
    }
    line_->tell();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (is_waiting()) {
      line_->waiting.erase(ticket_);
      line_->queue.abandon(ticket_);
    } else if (entry_ != CallQueue::Entry::full) {
      pass_on();
    }
    line_->tell();
  }

  [[nodiscard]] bool is_refused() const { return entry_ == CallQueue::Entry::full; }
  [[nodiscard]] bool is_waiting() const {
    return entry_ == CallQueue::Entry::waiting && line_->waiting.contains(ticket_);
  }

  /// Completes when it is this call's turn, at `until`, or when the awaiting coroutine is cancelled.
  Task<> wait(Duration limit) {
    if (entry_ != CallQueue::Entry::waiting) co_return;
    asio::steady_timer timer(co_await asio::this_coro::executor, limit);
    line_->waiting.at(ticket_) = &timer;
    asio::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (const auto found = line_->waiting.find(ticket_); found != line_->waiting.end()) found->second = nullptr;
  }

 private:
  void pass_on() {
    const std::optional<CallQueue::Ticket> next = line_->queue.leave();
    if (!next) return;
    const auto found = line_->waiting.find(*next);
    if (found == line_->waiting.end()) return;
    asio::steady_timer* timer = found->second;
    line_->waiting.erase(found);
    if (timer != nullptr) timer->cancel();
  }

  std::shared_ptr<Line> line_;
  CallQueue::Entry entry_;
  CallQueue::Ticket ticket_ = 0;
};

LimitedModel::LimitedModel(std::shared_ptr<ChatModel> inner, std::string name, CallLimits limits,
                           std::shared_ptr<ModelObserver> observer, const Clock& clock)
    : inner_(std::move(inner)),
      name_(std::move(name)),
      limits_(limits),
      line_(std::make_shared<Line>(limits, std::move(observer))),
      clock_(clock) {}

Task<std::expected<Completion, ModelError>> LimitedModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const auto refuse = [this](ErrorCode code, const std::string& why) {
    line_->observer->queue_refused();
    return std::unexpected(
        ModelError{.error = {code, "model '" + name_ + "' " + why},
                   .kind = code == ErrorCode::overloaded ? ModelError::Kind::refused_here : ModelError::Kind::other});
  };
  Place place(line_);
  if (place.is_refused()) {
    co_return refuse(ErrorCode::overloaded,
                     "has " + std::to_string(limits_.max_waiting) + " calls waiting already; try again later");
  }
  const Duration left = request.deadline ? *request.deadline - clock_.now() : Duration::max();
  co_await place.wait(std::clamp<Duration>(limits_.max_wait, Duration::zero(), std::max(left, Duration::zero())));
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    co_return std::unexpected(ModelError{.error = {ErrorCode::cancelled, "the call was cancelled"}});
  }
  if (place.is_waiting()) {
    if (left < limits_.max_wait) co_return refuse(ErrorCode::timeout, "was busy until the deadline");
    co_return refuse(ErrorCode::overloaded, "was busy for " + std::to_string(limits_.max_wait.count()) +
                                                " ms; allow more calls at once or ask less often");
  }
  co_return co_await inner_->complete(std::move(request), std::move(on_chunk));
}

}  // namespace parley::llm
