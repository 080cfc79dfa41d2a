// Whether limits in money can hold: a model that nobody has a price for costs nothing as far as they can see. Pure; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "agents/host/agents_config.hpp"

namespace parley::host {

/// A sentence for each model without a price that agents use beside a limit in money: of a team, or of the budgets.
[[nodiscard]] std::vector<std::string> price_warnings(const AgentsConfig& worker);
/// The same for all workers together, since a team's members may live in any of them.
[[nodiscard]] std::vector<std::string> price_warnings(const SuiteConfig& suite);

}  // namespace parley::host
