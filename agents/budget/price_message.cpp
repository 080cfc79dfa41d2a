#include "agents/budget/price_message.hpp"

namespace parley::budget {

messages::BudgetPrice to_message(const llm::ModelPrice& price) {
  messages::BudgetPrice message{true,
                                price.input_pico_usd,
                                price.cached_input_pico_usd,
                                price.cache_write_pico_usd.value_or(price.input_pico_usd),
                                price.output_pico_usd,
                                {}};
  for (const llm::PriceTier& tier : price.tiers) {
    message.tiers.push_back({tier.above_input_tokens, tier.input_pico_usd, tier.cached_input_pico_usd,
                             tier.cache_write_pico_usd.value_or(tier.input_pico_usd), tier.output_pico_usd});
  }
  return message;
}

std::optional<llm::ModelPrice> price_from(const messages::BudgetPrice& message) {
  if (!message.is_known) return std::nullopt;
  llm::ModelPrice price{message.input_pico_usd, message.cached_input_pico_usd, message.output_pico_usd,
                        message.cache_write_pico_usd};
  for (const messages::BudgetTier& tier : message.tiers) {
    price.tiers.push_back({tier.above_input_tokens, tier.input_pico_usd, tier.cached_input_pico_usd,
                           tier.output_pico_usd, tier.cache_write_pico_usd});
  }
  return price;
}

}  // namespace parley::budget
