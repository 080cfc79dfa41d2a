// The ledger of `parley up --standalone`: the same book and the same database, in this process. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <filesystem>
#include <memory>

#include "libmsg/runtime/runtime.hpp"
#include "services/ledger/ledger_service.hpp"

namespace parley::cli {

class StandaloneLedger {
 public:
  /// Fails with `bad_configuration`: a price table that is wrong, a database that another ledger uses.
  static Result<std::unique_ptr<StandaloneLedger>> make(asio::io_context& io, const Clock& clock,
                                                        const budget::BudgetsConfig& budgets,
                                                        const std::filesystem::path& state_folder);

  /// Answers as `sys.ledger/default`. Must outlive the runtime.
  Task<Result<>> host(Runtime& runtime);

 private:
  StandaloneLedger(asio::io_context& io, const Clock& clock, std::unique_ptr<ledger::LedgerService> service)
      : timer_(io), clock_(clock), service_(std::move(service)) {}
  void beat();

  asio::steady_timer timer_;
  const Clock& clock_;
  std::unique_ptr<ledger::LedgerService> service_;
};

}  // namespace parley::cli
