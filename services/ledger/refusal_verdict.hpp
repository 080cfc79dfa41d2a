// What the ledger answers when it refuses a call: the verdict, with the reason for people and the facts for programs.
// Pure; any thread.
#pragma once

#include <string>

#include "agents/budget/limit.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/budget.hpp"
#include "services/ledger/accounts.hpp"

namespace parley::ledger {

/// For a reason that is no budget's.
[[nodiscard]] messages::BudgetVerdict refused(const messages::BudgetReserve& order, ErrorCode code, std::string reason);
/// A budget has no room for `wanted`.
[[nodiscard]] messages::BudgetVerdict refused(const messages::BudgetReserve& order, const Refusal& refusal,
                                              const Amount& wanted);
/// A budget in money cannot tell what the call costs.
[[nodiscard]] messages::BudgetVerdict unknown_model(const messages::BudgetReserve& order, const budget::Limit& limit);

}  // namespace parley::ledger
