#include "services/ledger/refusal_verdict.hpp"

#include <spdlog/fmt/fmt.h>
#include <utility>

#include "services/ledger/calendar.hpp"

namespace parley::ledger {

using messages::BudgetReserve;
using messages::BudgetVerdict;

namespace {

std::string amount_text(const budget::Limit& limit, const Amount& amount) {
  if (!limit.tokens) return budget::format_usd(amount.nano_usd);
  if (!limit.nano_usd) return fmt::format("{} tokens", amount.tokens);
  return fmt::format("{} and {} tokens", budget::format_usd(amount.nano_usd), amount.tokens);
}

/// `budget 'desk' (agent type hr, 5.00 USD a day) has no room for 0.02 USD: 4.99 USD are spent and 0.00 USD reserved;
/// it resets at 2026-11-22T00:00:00Z`.
std::string text_of(const Refusal& refusal, const Amount& wanted) {
  const budget::Limit& limit = refusal.limit;
  const std::string period =
      limit.period == budget::Period::total
          ? std::string("in total")
          : fmt::format("a{} {}", limit.period == budget::Period::hour ? "n" : "", budget::to_string(limit.period));
  std::string text =
      fmt::format("budget '{}' ({}, {} {}) has no room for {}: {} spent, {} reserved; ", limit.name,
                  budget::describe(limit.scope, refusal.subject),
                  amount_text(limit, {limit.nano_usd.value_or(0), limit.tokens.value_or(0)}), period,
                  amount_text(limit, wanted), amount_text(limit, refusal.spent), amount_text(limit, refusal.reserved));
  if (refusal.is_held) return text + "there is room when calls under way have ended";
  if (refusal.reset) return text + "it resets at " + format_utc(*refusal.reset);
  return text + fmt::format("it does not reset by itself ('parley budget set {}' raises it)", limit.name);
}

void name_limit(BudgetVerdict& verdict, const budget::Limit& limit, const std::string& subject) {
  verdict.budget = limit.name;
  verdict.scope = budget::to_string(limit.scope);
  verdict.subject = subject;
  verdict.per = budget::to_string(limit.period);
  verdict.has_usd = limit.nano_usd.has_value();
  verdict.limit_nano_usd = limit.nano_usd.value_or(0);
  verdict.has_tokens = limit.tokens.has_value();
  verdict.limit_tokens = limit.tokens.value_or(0);
}

}  // namespace

BudgetVerdict refused(const BudgetReserve& order, ErrorCode code, std::string reason) {
  BudgetVerdict verdict;
  verdict.id = order.id;
  verdict.code = to_string(code);
  verdict.reason = std::move(reason);
  return verdict;
}

BudgetVerdict refused(const BudgetReserve& order, const Refusal& refusal, const Amount& wanted) {
  BudgetVerdict verdict = refused(order, ErrorCode::budget_exceeded, text_of(refusal, wanted));
  name_limit(verdict, refusal.limit, refusal.subject);
  verdict.spent_nano_usd = verdict.has_usd ? refusal.spent.nano_usd : 0;
  verdict.spent_tokens = verdict.has_tokens ? refusal.spent.tokens : 0;
  verdict.reset_ms = refusal.reset ? wall_ms(*refusal.reset) : 0;
  verdict.is_held = refusal.is_held;
  return verdict;
}

BudgetVerdict unknown_model(const BudgetReserve& order, const budget::Limit& limit) {
  BudgetVerdict verdict = refused(
      order, ErrorCode::budget_exceeded,
      fmt::format(
          "nobody knows what model '{}' costs, so budget '{}' cannot allow it; give it a 'price', or put it into "
          "the ledger's 'prices'",
          order.model, limit.name));
  name_limit(verdict, limit, limit.subject);
  return verdict;
}

}  // namespace parley::ledger
