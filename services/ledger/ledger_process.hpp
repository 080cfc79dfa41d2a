// The process parley-ledger: loads its book, answers on the bus until it is told to stop. Main thread, which becomes
// the loop thread.
#pragma once

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "services/ledger/options.hpp"

namespace parley::ledger {

/// Fails with `bad_configuration` (folder, database, port) or, when the database fails while it runs, with
/// `upstream_failed`: what was not written was not answered, and the next process goes on from the disk.
Result<> run_ledger(LedgerOptions options, const Clock& clock);

}  // namespace parley::ledger
