#include "services/cli/suite/standalone_ledger.hpp"

#include <utility>

#include "services/ledger/ledger_agent.hpp"
#include "services/ledger/sqlite_store.hpp"

namespace parley::cli {
namespace {

constexpr std::chrono::milliseconds kBeat{250};

}  // namespace

Result<std::unique_ptr<StandaloneLedger>> StandaloneLedger::make(asio::io_context& io, const Clock& clock,
                                                                 const budget::BudgetsConfig& budgets,
                                                                 const std::filesystem::path& state_folder) {
  ledger::PriceTable prices;
  if (budgets.prices) {
    auto loaded = ledger::load_prices(*budgets.prices);
    if (!loaded) return fail(loaded.error().error());
    prices = std::move(*loaded);
  }
  auto store = ledger::SqliteStore::open(state_folder);
  if (!store) return fail(std::move(store).error());
  auto service = ledger::LedgerService::make(budgets, std::move(prices), std::move(*store), clock);
  if (!service) return fail(std::move(service).error());
  return std::unique_ptr<StandaloneLedger>(new StandaloneLedger(io, clock, std::move(*service)));
}

Task<Result<>> StandaloneLedger::host(Runtime& runtime) {
  beat();
  co_return co_await ledger::host_ledger(runtime, *service_, clock_);
}

void StandaloneLedger::beat() {
  timer_.expires_after(kBeat);
  timer_.async_wait([this](asio::error_code failure) {
    // A database that fails is told to everyone who asks: no call is made any more.
    if (!failure && service_->tick()) beat();
  });
}

}  // namespace parley::cli
