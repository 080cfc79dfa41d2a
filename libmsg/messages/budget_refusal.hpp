// What a refusal of the ledger tells a program: the details of an error `budget_exceeded` (PROTOCOL.md §Budgets), which
// travel with it to whoever asked an agent, however many agents lie between. Pure values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"

namespace parley::messages {

struct BudgetRefusal {
  std::string budget;   ///< the limit's name
  std::string scope;    ///< `all`, `agent_type`, `agent`, `conversation`, `model`
  std::string subject;  ///< whose account refuses; empty for `all`
  std::string per;      ///< `hour`, `day`, `month`, `total`
  /// Unset: the limit is not in money, or not in tokens.
  std::optional<std::uint64_t> limit_nano_usd;
  std::optional<std::uint64_t> limit_tokens;
  std::uint64_t spent_nano_usd = 0;
  std::uint64_t spent_tokens = 0;
  /// Unset: never by itself; somebody must raise or reset it.
  std::optional<WallTime> resets_at;
  friend bool operator==(const BudgetRefusal&, const BudgetRefusal&) = default;
};

[[nodiscard]] ErrorDetails to_details(const BudgetRefusal& refusal);

/// What refused the call, when `error` is a ledger's refusal; nullopt for every other error, also for the empty account
/// at a provider, which is `budget_exceeded` as well.
[[nodiscard]] std::optional<BudgetRefusal> budget_refusal(const Error& error);

}  // namespace parley::messages
