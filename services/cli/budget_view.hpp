// What people see of budgets, and how they write amounts. Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/budget.hpp"

namespace parley::cli {

/// `12.34`, `0.000001`: US dollars in billionths, exactly. Fails with `invalid`.
[[nodiscard]] Result<std::uint64_t> parse_usd(std::string_view text);
/// `1500`, `20k`, `1.5M`, `2G`. Fails with `invalid`.
[[nodiscard]] Result<std::uint64_t> parse_token_count(std::string_view text);

/// A table, the fullest account of each budget first.
[[nodiscard]] std::vector<std::string> render_budgets(const messages::BudgetReport& report, WallTime now,
                                                      std::size_t width);
[[nodiscard]] nlohmann::json to_json(const messages::BudgetRow& row);

}  // namespace parley::cli
