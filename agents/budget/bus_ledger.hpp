// The ledger as a process on the bus sees it: orders of all its models are collected and sent to `sys.ledger/default`.
// Owned together by the models that use it and the deployment. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <unordered_map>

#include "agents/budget/ledger.hpp"
#include "agents/budget/order_queue.hpp"
#include "libmsg/core/random.hpp"
#include "libmsg/runtime/messenger.hpp"

namespace parley::budget {

class BusLedger final : public Ledger, public std::enable_shared_from_this<BusLedger> {
 public:
  /// All must outlive it; `observer` may be null.
  static std::shared_ptr<BusLedger> make(asio::io_context& io, Messenger& bus, const Clock& clock, Random& random,
                                         std::chrono::milliseconds timeout, std::shared_ptr<BudgetObserver> observer);

  std::string next_id() override;
  Task<Result<messages::BudgetVerdict>> reserve(messages::BudgetReserve order,
                                                std::optional<TimePoint> deadline) override;
  void settle(messages::BudgetSettle order) override;
  void release(std::string id) override;

 private:
  struct Waiter {
    explicit Waiter(asio::io_context& io) : wake(io, asio::steady_timer::time_point::max()) {}
    asio::steady_timer wake;
    std::optional<Result<messages::BudgetVerdict>> verdict;
  };

  BusLedger(asio::io_context& io, Messenger& bus, const Clock& clock, Random& random, std::chrono::milliseconds timeout,
            std::shared_ptr<BudgetObserver> observer);

  /// Sends what there is at the end of this turn of the loop, so that orders of one turn travel together.
  void kick();
  void pump();
  Task<> send(OrderQueue::Batch batch);
  void deliver(std::vector<OrderQueue::Outcome> outcomes);
  void report_waiting();

  asio::io_context& io_;
  Messenger& bus_;
  const Clock& clock_;
  std::chrono::milliseconds timeout_;
  std::shared_ptr<BudgetObserver> observer_;
  AgentId ledger_;
  std::uint64_t process_;
  std::uint64_t last_id_ = 0;
  OrderQueue queue_;
  std::unordered_map<std::string, Waiter*> waiters_;
  asio::steady_timer timer_;
  bool is_kicked_ = false;
};

}  // namespace parley::budget
