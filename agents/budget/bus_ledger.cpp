#include "agents/budget/bus_ledger.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace parley::budget {

std::shared_ptr<BusLedger> BusLedger::make(asio::io_context& io, Messenger& bus, const Clock& clock, Random& random,
                                           std::chrono::milliseconds timeout,
                                           std::shared_ptr<BudgetObserver> observer) {
  return std::shared_ptr<BusLedger>(new BusLedger(io, bus, clock, random, timeout, std::move(observer)));
}

BusLedger::BusLedger(asio::io_context& io, Messenger& bus, const Clock& clock, Random& random,
                     std::chrono::milliseconds timeout, std::shared_ptr<BudgetObserver> observer)
    : io_(io),
      bus_(bus),
      clock_(clock),
      timeout_(timeout),
      observer_(std::move(observer)),
      ledger_(*AgentId::make(messages::kLedgerType, kDefaultKey)),
      process_(random.next()),
      timer_(io) {}

std::string BusLedger::next_id() { return fmt::format("{:016x}-{}", process_, ++last_id_); }

Task<Result<messages::BudgetVerdict>> BusLedger::reserve(messages::BudgetReserve order,
                                                         std::optional<TimePoint> deadline) {
  const auto self = shared_from_this();
  const TimePoint latest = clock_.now() + timeout_;
  const std::string id = order.id;
  const Result<> queued = queue_.reserve(std::move(order), std::min(latest, deadline.value_or(latest)));
  if (!queued) co_return fail(queued.error());
  // Lives in this coroutine; whatever ends it takes the waiter out.
  Waiter waiter(io_);
  struct Membership {
    BusLedger& ledger;
    const std::string& id;
    Waiter& waiter;
    bool is_taken = false;
    ~Membership() {
      ledger.waiters_.erase(id);
      if (is_taken) return;
      if (!waiter.verdict) {
        ledger.queue_.withdraw(id, ledger.clock_.now());
      } else if (*waiter.verdict && (*waiter.verdict)->is_granted) {
        ledger.queue_.release(id, ledger.clock_.now());
      }
      ledger.kick();
    }
  } membership{*this, id, waiter};
  waiters_.emplace(id, &waiter);
  kick();
  asio::error_code woken;
  co_await waiter.wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!waiter.verdict) co_return fail(ErrorCode::cancelled, "the call was cancelled before it began");
  membership.is_taken = true;
  co_return std::move(*waiter.verdict);
}

void BusLedger::settle(messages::BudgetSettle order) {
  queue_.settle(std::move(order), clock_.now());
  kick();
}

void BusLedger::release(std::string id) {
  queue_.release(std::move(id), clock_.now());
  kick();
}

void BusLedger::kick() {
  if (std::exchange(is_kicked_, true)) return;
  asio::post(io_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->pump();
  });
}

void BusLedger::pump() {
  is_kicked_ = false;
  const TimePoint now = clock_.now();
  deliver(queue_.expire(now));
  while (auto batch = queue_.next(now)) asio::co_spawn(io_, send(std::move(*batch)), asio::detached);
  report_waiting();
  timer_.cancel();
  const auto next = queue_.wake_at();
  if (!next) return;
  timer_.expires_at(*next);
  timer_.async_wait([weak = weak_from_this()](asio::error_code failure) {
    if (failure) return;
    if (const auto self = weak.lock()) self->pump();
  });
}

Task<> BusLedger::send(OrderQueue::Batch batch) {
  const auto self = shared_from_this();
  CallOptions options;
  options.timeout = batch.timeout;
  auto verdicts = co_await bus_.request<messages::BudgetVerdicts>(ledger_, batch.orders, options);
  const TimePoint now = clock_.now();
  if (verdicts) {
    OrderQueue::Answered answered = queue_.on_reply(batch.number, std::move(*verdicts), now);
    for (const OrderQueue::Settled& settled : answered.settled) {
      if (observer_ != nullptr) observer_->on_settled(now - settled.since);
    }
    deliver(std::move(answered.outcomes));
  } else {
    deliver(queue_.on_failure(batch.number, verdicts.error(), now));
  }
  kick();
}

void BusLedger::deliver(std::vector<OrderQueue::Outcome> outcomes) {
  for (OrderQueue::Outcome& outcome : outcomes) {
    const auto waiter = waiters_.find(outcome.id);
    if (waiter == waiters_.end()) continue;
    waiter->second->verdict = std::move(outcome.verdict);
    waiter->second->wake.cancel();
  }
}

void BusLedger::report_waiting() {
  if (observer_ != nullptr) observer_->on_reports(queue_.reports_waiting(), queue_.reports_dropped());
}

}  // namespace parley::budget
