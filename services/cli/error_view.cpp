#include "services/cli/error_view.hpp"

#include "libmsg/messages/budget_refusal.hpp"
#include "services/cli/report_json.hpp"

namespace parley::cli {
namespace {

using nlohmann::json;

constexpr double kNanoUsdPerUsd = 1e9;

json refusal_to_json(const messages::BudgetRefusal& refusal) {
  json shown{{"name", refusal.budget},
             {"scope", refusal.scope},
             {"subject", refusal.subject},
             {"per", refusal.per},
             {"resets_at", nullptr}};
  if (refusal.limit_nano_usd) {
    shown["limit_usd"] = static_cast<double>(*refusal.limit_nano_usd) / kNanoUsdPerUsd;
    shown["spent_usd"] = static_cast<double>(refusal.spent_nano_usd) / kNanoUsdPerUsd;
  }
  if (refusal.limit_tokens) {
    shown["limit_tokens"] = *refusal.limit_tokens;
    shown["spent_tokens"] = refusal.spent_tokens;
  }
  if (refusal.resets_at) {
    shown["resets_at"] = format_wall_ms(static_cast<std::uint64_t>(refusal.resets_at->time_since_epoch().count()));
  }
  return shown;
}

}  // namespace

json error_to_json(const Error& error) {
  json shown{{"code", to_string(error.code)}, {"message", error.message}, {"retryable", error.retryable}};
  if (const auto refusal = messages::budget_refusal(error)) {
    shown["budget"] = refusal_to_json(*refusal);
  } else if (!error.details.empty()) {
    for (const auto& [name, value] : error.details) shown["details"][name] = value;
  }
  return shown;
}

}  // namespace parley::cli
