#include "libmsg/messages/budget_refusal.hpp"

#include <string_view>

#include "libmsg/core/whole_number.hpp"

namespace parley::messages {
namespace {

constexpr std::string_view kBudget = "budget";
constexpr std::string_view kScope = "scope";
constexpr std::string_view kSubject = "subject";
constexpr std::string_view kPer = "per";
constexpr std::string_view kLimitNanoUsd = "limit_nano_usd";
constexpr std::string_view kLimitTokens = "limit_tokens";
constexpr std::string_view kSpentNanoUsd = "spent_nano_usd";
constexpr std::string_view kSpentTokens = "spent_tokens";
constexpr std::string_view kResetMs = "reset_ms";

}  // namespace

ErrorDetails to_details(const BudgetRefusal& refusal) {
  ErrorDetails details;
  const auto add = [&details](std::string_view name, std::string value) {
    details.emplace_back(name, std::move(value));
  };
  add(kBudget, refusal.budget);
  add(kScope, refusal.scope);
  if (!refusal.subject.empty()) add(kSubject, refusal.subject);
  add(kPer, refusal.per);
  if (refusal.limit_nano_usd) {
    add(kLimitNanoUsd, std::to_string(*refusal.limit_nano_usd));
    add(kSpentNanoUsd, std::to_string(refusal.spent_nano_usd));
  }
  if (refusal.limit_tokens) {
    add(kLimitTokens, std::to_string(*refusal.limit_tokens));
    add(kSpentTokens, std::to_string(refusal.spent_tokens));
  }
  if (refusal.resets_at) add(kResetMs, std::to_string(refusal.resets_at->time_since_epoch().count()));
  return details;
}

std::optional<BudgetRefusal> budget_refusal(const Error& error) {
  if (error.code != ErrorCode::budget_exceeded || error.detail(kBudget).empty()) return std::nullopt;
  BudgetRefusal refusal;
  refusal.budget = error.detail(kBudget);
  refusal.scope = error.detail(kScope);
  refusal.subject = error.detail(kSubject);
  refusal.per = error.detail(kPer);
  refusal.limit_nano_usd = whole_number(error.detail(kLimitNanoUsd));
  refusal.limit_tokens = whole_number(error.detail(kLimitTokens));
  refusal.spent_nano_usd = whole_number(error.detail(kSpentNanoUsd)).value_or(0);
  refusal.spent_tokens = whole_number(error.detail(kSpentTokens)).value_or(0);
  if (const auto reset = whole_number(error.detail(kResetMs))) {
    refusal.resets_at = WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(*reset)));
  }
  return refusal;
}

}  // namespace parley::messages
