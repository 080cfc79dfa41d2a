// Who is asked before a model call costs money. BusLedger asks the ledger on the bus; tests have their own.
// Loop thread only.
#pragma once

#include <optional>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/budget.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::budget {

class Ledger {
 public:
  Ledger() = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  virtual ~Ledger() = default;

  /// An id that no call has had.
  virtual std::string next_id() = 0;
  /// What the ledger says. Whoever gets a granted verdict owes it exactly one settle() or release(); until then the
  /// reservation is renewed. Fails with `unreachable` when the ledger does not answer in time (or before `deadline`),
  /// and with `cancelled` when the coroutine was cancelled; then nothing is owed.
  virtual Task<Result<messages::BudgetVerdict>> reserve(messages::BudgetReserve order,
                                                        std::optional<TimePoint> deadline) = 0;
  /// The call was made and has cost this. Also for a call without a reservation. Returns at once; the ledger is told in
  /// the background, again and again until it has written it down.
  virtual void settle(messages::BudgetSettle order) = 0;
  /// The call was not made.
  virtual void release(std::string id) = 0;
};

/// What budgets did to the calls of this process; feeds its metrics.
class BudgetObserver {
 public:
  enum class Outcome : std::uint8_t { granted, refused, unreachable, unreserved, cancelled };

  BudgetObserver() = default;
  BudgetObserver(const BudgetObserver&) = delete;
  BudgetObserver& operator=(const BudgetObserver&) = delete;
  virtual ~BudgetObserver() = default;

  /// A call was allowed or not, and how long that took.
  virtual void on_asked(Outcome outcome, Duration waited) = 0;
  /// A settlement was written down, so long after the call's end.
  virtual void on_settled(Duration waited) = 0;
  /// Settlements and releases that the ledger has not confirmed; and those given up for good.
  virtual void on_reports(std::size_t waiting, std::uint64_t dropped) = 0;
};

}  // namespace parley::budget
