#include "services/cli/budget_view.hpp"

#include <array>
#include <optional>
#include <spdlog/fmt/fmt.h>

#include "libmsg/core/whole_number.hpp"
#include "services/cli/figures.hpp"
#include "services/cli/table.hpp"

namespace parley::cli {
namespace {

using messages::BudgetLimit;
using messages::BudgetRow;

constexpr std::uint64_t kNanoPerUsd = 1'000'000'000;
constexpr std::uint64_t kMaxUsd = 1'000'000'000;

/// `whole.fraction` times 10^places, exactly; nullopt when it has more digits than that.
std::optional<std::uint64_t> decimal(std::string_view text, std::size_t places, std::uint64_t max_whole) {
  const std::size_t point = text.find('.');
  const auto whole = whole_number(text.substr(0, point));
  if (!whole || *whole > max_whole) return std::nullopt;
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  if ((point != std::string_view::npos && fraction.empty()) || fraction.size() > places) return std::nullopt;
  fraction.append(places - fraction.size(), '0');
  std::uint64_t scale = 1;
  for (std::size_t i = 0; i < places; ++i) scale *= 10;
  const auto rest = fraction.empty() ? std::optional<std::uint64_t>(0) : whole_number(fraction);
  if (!rest) return std::nullopt;
  return *whole * scale + *rest;
}

/// In both measures that the limit has.
std::string amount(const BudgetLimit& limit, std::uint64_t nano_usd, std::uint64_t tokens) {
  std::string text;
  if (limit.has_usd) text = format_cost(nano_usd);
  if (limit.has_tokens) text += (text.empty() ? "" : " / ") + format_count(tokens) + " tok";
  return text;
}

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

std::string left_of(const BudgetRow& row) {
  return amount(row.limit, minus(row.limit.nano_usd, row.spent_nano_usd + row.reserved_nano_usd),
                minus(row.limit.tokens, row.spent_tokens + row.reserved_tokens));
}

/// `all`, `agent hr/alice`, `each type`, `conversation c1` (one account of a budget for each).
std::string whose(const BudgetRow& row) {
  const BudgetLimit& limit = row.limit;
  if (limit.scope == "all") return "all";
  const std::string scope = limit.scope == "agent_type" ? "type" : limit.scope;
  if (limit.subject == "*" && row.subject.empty()) return "each " + scope;
  return scope + " " + (limit.subject == "*" ? row.subject : limit.subject);
}

std::string resets(const BudgetRow& row, WallTime now) {
  if (row.reset_ms == 0) return "never";
  const auto now_ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  return format_age(std::chrono::milliseconds(minus(row.reset_ms, now_ms)));
}

}  // namespace

Result<std::uint64_t> parse_usd(std::string_view text) {
  static_assert(kNanoPerUsd == 1'000'000'000);
  if (const auto nano_usd = decimal(text, 9, kMaxUsd)) return *nano_usd;
  return fail(ErrorCode::invalid, fmt::format("'{}': expected US dollars such as 5 or 0.25, at most 1000000000", text));
}

Result<std::uint64_t> parse_token_count(std::string_view text) {
  constexpr std::array<std::pair<char, std::size_t>, 3> kUnits{{{'k', 3}, {'M', 6}, {'G', 9}}};
  std::string_view number = text;
  std::size_t places = 0;
  for (const auto& [unit, power] : kUnits) {
    if (!text.ends_with(unit)) continue;
    number.remove_suffix(1);
    places = power;
  }
  if (const auto tokens = decimal(number, places, 1'000'000)) return *tokens;
  if (const auto tokens = whole_number(text); tokens && *tokens <= 1'000'000'000'000'000) return *tokens;
  return fail(ErrorCode::invalid, fmt::format("'{}': expected a number of tokens such as 1500, 20k or 1.5M", text));
}

std::vector<std::string> render_budgets(const messages::BudgetReport& report, WallTime now, std::size_t width) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(report.rows.size());
  for (const BudgetRow& row : report.rows) {
    rows.push_back({row.limit.name, whose(row), row.limit.is_soft ? row.limit.per + ", soft" : row.limit.per,
                    amount(row.limit, row.limit.nano_usd, row.limit.tokens),
                    amount(row.limit, row.spent_nano_usd, row.spent_tokens),
                    amount(row.limit, row.reserved_nano_usd, row.reserved_tokens), left_of(row), resets(row, now),
                    std::to_string(row.refused)});
  }
  return render_table({{"BUDGET", Align::left, true},
                       {"FOR", Align::left, true},
                       {"PER"},
                       {"LIMIT", Align::right},
                       {"SPENT", Align::right},
                       {"RESERVED", Align::right},
                       {"LEFT", Align::right},
                       {"RESETS", Align::right},
                       {"REFUSED", Align::right}},
                      rows, width);
}

nlohmann::json to_json(const BudgetRow& row) {
  const BudgetLimit& limit = row.limit;
  nlohmann::json value{{"budget", limit.name},
                       {"scope", limit.scope},
                       {"subject", limit.subject == "*" ? row.subject : limit.subject},
                       {"is_for_each", limit.subject == "*"},
                       {"per", limit.per},
                       {"mode", limit.is_soft ? "soft" : "hard"},
                       {"refused", row.refused},
                       {"origin", row.origin}};
  const auto usd = [](std::uint64_t nano_usd) { return static_cast<double>(nano_usd) / 1e9; };
  if (limit.has_usd) {
    value["limit_usd"] = usd(limit.nano_usd);
    value["spent_usd"] = usd(row.spent_nano_usd);
    value["estimated_usd"] = usd(row.estimated_nano_usd);
    value["reserved_usd"] = usd(row.reserved_nano_usd);
    value["spent_nano_usd"] = row.spent_nano_usd;
  }
  if (limit.has_tokens) {
    value["limit_tokens"] = limit.tokens;
    value["spent_tokens"] = row.spent_tokens;
    value["reserved_tokens"] = row.reserved_tokens;
  }
  if (row.reset_ms > 0) value["reset_ms"] = row.reset_ms;
  return value;
}

}  // namespace parley::cli
