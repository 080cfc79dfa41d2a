// What the ledger's metrics page shows of its book; monitoring/METRICS.md explains each name. Pure.
#pragma once

#include <string>
#include <vector>

#include "services/ledger/book.hpp"

namespace parley::ledger {

struct LedgerNumber {
  std::string name;  ///< with its labels
  double value = 0;
};

/// Families together, one series for each limit whatever callers call themselves.
[[nodiscard]] std::vector<LedgerNumber> ledger_numbers(Book& book, Now now);

}  // namespace parley::ledger
