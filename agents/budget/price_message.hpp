// Prices on the wire. Pure; any thread.
#pragma once

#include <optional>

#include "agents/llm/model_price.hpp"
#include "libmsg/messages/budget.hpp"

namespace parley::budget {

[[nodiscard]] messages::BudgetPrice to_message(const llm::ModelPrice& price);
/// nullopt when it is not known.
[[nodiscard]] std::optional<llm::ModelPrice> price_from(const messages::BudgetPrice& message);

}  // namespace parley::budget
