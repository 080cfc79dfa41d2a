// By which price a call is charged: the ledger's table, else what the caller's configuration says, else what the policy
// says about models that nobody knows. Pure. One thread.
#pragma once

#include <optional>
#include <string_view>

#include "agents/budget/budgets_config.hpp"
#include "agents/budget/price_message.hpp"
#include "agents/llm/model_price.hpp"
#include "libmsg/messages/budget.hpp"
#include "services/ledger/price_table.hpp"

namespace parley::ledger {

class Pricing {
 public:
  Pricing(PriceTable table, budget::UnknownModel unknown_model)
      : table_(std::move(table)), highest_(table_.highest()), unknown_model_(unknown_model) {}

  /// nullopt: nobody knows. `answered` is what the provider calls the model; empty before it has answered.
  [[nodiscard]] std::optional<llm::ModelPrice> price_of(std::string_view model, std::string_view answered,
                                                        const messages::BudgetPrice& callers) const {
    if (const llm::ModelPrice* price = table_.find(model)) return *price;
    if (const llm::ModelPrice* price = table_.find(answered)) return *price;
    if (auto price = budget::price_from(callers)) return price;
    if (unknown_model_ == budget::UnknownModel::max) return highest_;
    return std::nullopt;
  }

  /// True when a call without a price is made nevertheless.
  [[nodiscard]] bool is_unpriced_allowed() const { return unknown_model_ == budget::UnknownModel::count; }

 private:
  PriceTable table_;
  std::optional<llm::ModelPrice> highest_;
  budget::UnknownModel unknown_model_;
};

}  // namespace parley::ledger
