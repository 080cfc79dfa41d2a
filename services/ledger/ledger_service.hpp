// Book and store together: what is answered is on disk. Everything that hosts a ledger (the process, `parley up
// --standalone`, tests) talks to it. One thread.
#pragma once

#include <functional>
#include <memory>

#include "agents/budget/budgets_config.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/messages/budget.hpp"
#include "services/ledger/book.hpp"
#include "services/ledger/store.hpp"

namespace parley::ledger {

class LedgerService {
 public:
  /// Calls that ended are remembered for so long. Whoever repeats an order gives up much earlier (see BusLedger).
  static constexpr std::chrono::hours kRemember{2};

  /// Loads what the store has. `clock` must outlive it.
  static Result<std::unique_ptr<LedgerService>> make(const budget::BudgetsConfig& config, PriceTable prices,
                                                     std::unique_ptr<LedgerStore> store, const Clock& clock,
                                                     BookLimits limits = {});

  /// Fails with `upstream_failed` when the store does: then nobody may be answered any more, and the process has to
  /// end.
  Result<messages::BudgetVerdicts> take(const messages::BudgetOrders& orders);
  Result<messages::BudgetReport> list(const messages::BudgetList& order);
  /// Fail with `invalid`, or as take().
  Result<messages::BudgetDone> set(const messages::BudgetSet& order);
  Result<messages::BudgetDone> reset(const messages::BudgetReset& order);
  /// Ends leases; once a second or so. Fails as take().
  Result<> tick();

  [[nodiscard]] Book& book() { return *book_; }
  [[nodiscard]] Now now() const { return {clock_.now(), clock_.wall_now()}; }
  /// Why the store has failed; empty while it works.
  [[nodiscard]] const std::string& broken() const { return broken_; }

 private:
  LedgerService(std::unique_ptr<Book> book, std::unique_ptr<LedgerStore> store, const Clock& clock)
      : book_(std::move(book)), store_(std::move(store)), clock_(clock), last_forgotten_(clock.now()) {}

  Result<> recall(const messages::BudgetOrders& orders);
  Result<> commit();
  std::unexpected<Error> break_with(Error error);

  std::unique_ptr<Book> book_;
  std::unique_ptr<LedgerStore> store_;
  const Clock& clock_;
  TimePoint last_forgotten_;
  std::string broken_;
};

}  // namespace parley::ledger
