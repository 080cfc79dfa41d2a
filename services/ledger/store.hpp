// Where the book is kept over restarts. SqliteStore keeps it in a file of this machine; a shared one (Redis) would be
// another implementation: load is a scan, commit one transaction. Loop thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "libmsg/core/error.hpp"
#include "services/ledger/records.hpp"

namespace parley::ledger {

class LedgerStore {
 public:
  LedgerStore() = default;
  LedgerStore(const LedgerStore&) = delete;
  LedgerStore& operator=(const LedgerStore&) = delete;
  virtual ~LedgerStore() = default;

  virtual Result<StoredBook> load() = 0;
  /// How these calls have ended, of those that have and are remembered.
  virtual Result<std::vector<ClosedCall>> find_closed(std::span<const std::string> ids) = 0;
  /// All of it or nothing. When it returns without an error, no crash can undo it. After a failure nobody knows what is
  /// stored: the process must end and load() again.
  virtual Result<> commit(const BookChanges& changes) = 0;
  /// Forgets calls that ended before `time`.
  virtual Result<> forget_closed_before(WallTime time) = 0;
};

}  // namespace parley::ledger
