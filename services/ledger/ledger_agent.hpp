// The ledger on a bus: `sys.ledger/default` answers orders, lists and what people set. Loop thread.
#pragma once

#include <functional>
#include <memory>

#include "libmsg/runtime/agent.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "services/ledger/ledger_service.hpp"

namespace parley::ledger {

/// Called after each batch of orders with the time that it took.
using TakeObserver = std::function<void(Duration time)>;

/// Hosts the ledger; `service` and what the observer uses must outlive the runtime.
Task<Result<>> host_ledger(Runtime& runtime, LedgerService& service, const Clock& clock, TakeObserver observer = {});

}  // namespace parley::ledger
