#include "services/ledger/ledger_service.hpp"

#include <spdlog/fmt/fmt.h>
#include <utility>
#include <vector>

namespace parley::ledger {
namespace {

constexpr std::chrono::minutes kForgetInterval{1};

}  // namespace

Result<std::unique_ptr<LedgerService>> LedgerService::make(const budget::BudgetsConfig& config, PriceTable prices,
                                                           std::unique_ptr<LedgerStore> store, const Clock& clock,
                                                           BookLimits limits) {
  Result<StoredBook> stored = store->load();
  if (!stored) return fail(std::move(stored).error());
  const Now now{clock.now(), clock.wall_now()};
  auto book = std::make_unique<Book>(config, std::move(prices), limits, now);
  book->restore(std::move(*stored), now);
  return std::unique_ptr<LedgerService>(new LedgerService(std::move(book), std::move(store), clock));
}

std::unexpected<Error> LedgerService::break_with(Error error) {
  if (broken_.empty()) broken_ = error.message;
  return fail(std::move(error));
}

Result<> LedgerService::recall(const messages::BudgetOrders& orders) {
  std::vector<std::string> ids;
  const auto add = [&](const std::string& id) {
    if (!book_->is_open(id)) ids.push_back(id);
  };
  for (const messages::BudgetReserve& order : orders.reserve) add(order.id);
  for (const messages::BudgetSettle& order : orders.settle) add(order.id);
  for (const std::string& id : orders.release) add(id);
  if (ids.empty()) return {};
  Result<std::vector<ClosedCall>> closed = store_->find_closed(ids);
  if (!closed) return break_with(std::move(closed).error());
  for (ClosedCall& call : *closed) book_->recall(std::move(call));
  return {};
}

Result<> LedgerService::commit() {
  const BookChanges changes = book_->take_changes();
  if (changes.is_empty()) return {};
  Result<> stored = store_->commit(changes);
  if (!stored) return break_with(std::move(stored).error());
  return {};
}

Result<messages::BudgetVerdicts> LedgerService::take(const messages::BudgetOrders& orders) {
  if (!broken_.empty()) return fail(ErrorCode::upstream_failed, broken_);
  if (Result<> recalled = recall(orders); !recalled) return fail(std::move(recalled).error());
  const Now at = now();
  messages::BudgetVerdicts verdicts;
  verdicts.lease_ms = static_cast<std::uint64_t>(book_->lease().count());
  // Those that are alive say so before anybody's lease is looked at, and what has ended makes room for what begins.
  for (const std::string& id : orders.renew) {
    if (!book_->renew(id, at)) verdicts.lost.push_back(id);
  }
  for (const messages::BudgetSettle& order : orders.settle) book_->settle(order, at);
  for (const std::string& id : orders.release) book_->release(id, at);
  for (const messages::BudgetReserve& order : orders.reserve) verdicts.reserve.push_back(book_->reserve(order, at));
  if (Result<> stored = commit(); !stored) return fail(std::move(stored).error());
  return verdicts;
}

Result<messages::BudgetReport> LedgerService::list(const messages::BudgetList& order) {
  if (!broken_.empty()) return fail(ErrorCode::upstream_failed, broken_);
  return book_->report(order, now());
}

Result<messages::BudgetDone> LedgerService::set(const messages::BudgetSet& order) {
  if (Result<> done = book_->set(order, now()); !done) return fail(std::move(done).error());
  if (Result<> stored = commit(); !stored) return fail(std::move(stored).error());
  return messages::BudgetDone{
      fmt::format("{} {}", order.limit.name, order.is_default ? "is as its file says" : "is set"), 0};
}

Result<messages::BudgetDone> LedgerService::reset(const messages::BudgetReset& order) {
  const Result<std::size_t> done = book_->reset(order, now());
  if (!done) return fail(done.error());
  if (Result<> stored = commit(); !stored) return fail(std::move(stored).error());
  return messages::BudgetDone{
      fmt::format("{}: {} {} now", order.name, *done, *done == 1 ? "account counts from" : "accounts count from"),
      *done};
}

Result<> LedgerService::tick() {
  if (!broken_.empty()) return fail(ErrorCode::upstream_failed, broken_);
  const Now at = now();
  book_->tick(at);
  if (Result<> stored = commit(); !stored) return stored;
  if (at.mono - last_forgotten_ < kForgetInterval) return {};
  last_forgotten_ = at.mono;
  Result<> forgotten = store_->forget_closed_before(at.wall - kRemember);
  if (!forgotten) return break_with(std::move(forgotten).error());
  return {};
}

}  // namespace parley::ledger
