#include "agents/budget/budgets_config.hpp"

#include <array>
#include <cmath>
#include <set>
#include <utility>

namespace parley::budget {
namespace {

using config::ConfigReader;
using config::Range;
using std::chrono::milliseconds;

constexpr std::size_t kMaxLimits = 1000;
constexpr Range<double> kUsd{0, 1'000'000'000};
constexpr Range<std::uint64_t> kTokens{0, 1'000'000'000'000'000};
constexpr milliseconds kHour{3'600'000};

std::uint64_t read_nano_usd(ConfigReader& reader, std::string_view key) {
  return static_cast<std::uint64_t>(std::llround(reader.number(key, 0, kUsd) * 1e9));
}

/// `agent_type: hr`: at most one of the scopes stands there.
void read_scope(ConfigReader& entry, messages::BudgetLimit& limit) {
  bool has_one = false;
  for (const std::string_view scope : kScopeNames) {
    if (scope == kScopeNames.front() || !entry.has(scope)) continue;
    if (std::exchange(has_one, true)) entry.reject(scope, "expected one of agent_type, agent, conversation and model");
    limit.scope = scope;
    limit.subject = entry.required_text(scope);
  }
}

std::optional<Limit> read_limit(ConfigReader& entry) {
  constexpr std::array<std::string_view, 2> kModes{"hard", "soft"};
  messages::BudgetLimit message;
  message.name = entry.required_text("name");
  read_scope(entry, message);
  message.per = kPeriodNames.at(entry.choice("per", kPeriodNames, static_cast<std::size_t>(Period::total)));
  message.has_usd = entry.has("usd");
  if (message.has_usd) message.nano_usd = read_nano_usd(entry, "usd");
  message.has_tokens = entry.has("tokens");
  if (message.has_tokens) message.tokens = entry.integer("tokens", 0, kTokens);
  message.is_soft = entry.choice("mode", kModes, 0) == 1;
  entry.reject_unknown_keys();
  Result<Limit> limit = limit_from(message);
  if (limit) return std::move(*limit);
  // A missing name has been told already.
  if (!message.name.empty()) entry.reject(limit.error().message);
  return std::nullopt;
}

}  // namespace

BudgetsConfig read_budgets(ConfigReader& reader, const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 3> kUnknownModels{"refuse", "max", "count"};
  constexpr std::array<std::string_view, 2> kEstimates{"learned", "worst_case"};
  constexpr std::array<std::string_view, 2> kLosses{"refuse", "allow_and_count"};
  BudgetsConfig budgets;
  std::set<std::string> names;
  for (ConfigReader& entry : reader.children("limits")) {
    std::optional<Limit> limit = read_limit(entry);
    if (!limit) continue;
    if (!names.insert(limit->name).second) entry.reject("name", "expected each limit's name once");
    budgets.limits.push_back(std::move(*limit));
  }
  if (budgets.limits.size() > kMaxLimits) reader.reject("limits", "expected at most 1000 limits");
  if (const auto file = reader.optional_text("prices")) budgets.prices = folder / *file;
  budgets.unknown_model = static_cast<UnknownModel>(reader.choice("unknown_model", kUnknownModels, 0));
  budgets.estimate = static_cast<EstimateMode>(reader.choice("estimate", kEstimates, 0));
  budgets.max_output_tokens = reader.integer("max_output_tokens", budgets.max_output_tokens, {1, 10'000'000});
  budgets.lease = reader.duration("lease", budgets.lease, {milliseconds(500), kHour});
  if (reader.has("metrics_port")) {
    budgets.metrics_port = static_cast<std::uint16_t>(reader.integer("metrics_port", 0, {0, 65535}));
  }
  budgets.on_ledger_loss = static_cast<OnLedgerLoss>(reader.choice("on_ledger_loss", kLosses, 0));
  budgets.ledger_timeout = reader.duration("ledger_timeout", budgets.ledger_timeout, {milliseconds(10), kHour});
  budgets.wait_for_held = reader.duration("wait_for_held", budgets.wait_for_held, {milliseconds(0), kHour});
  reader.reject_unknown_keys();
  return budgets;
}

}  // namespace parley::budget
