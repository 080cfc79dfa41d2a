#include "agents/budget/price_config.hpp"

#include <cmath>
#include <string_view>

namespace parley::budget {
namespace {

using config::ConfigReader;
using config::Range;

std::uint64_t read_pico_usd(ConfigReader& reader, std::string_view key) {
  constexpr Range<double> kUsdPerMillion{0, 1'000'000};
  constexpr double kPicoUsdPerToken = 1e6;
  return static_cast<std::uint64_t>(std::llround(reader.number(key, 0, kUsdPerMillion) * kPicoUsdPerToken));
}

/// The prices themselves, which a tier has like the whole. The input's price stands for those that are left out.
template <class Rates>
void read_rates(ConfigReader& reader, Rates& rates) {
  for (const std::string_view key : {"input_per_million_usd", "output_per_million_usd"}) {
    if (!reader.has(key)) reader.reject(key, "expected a number: US dollars for a million tokens");
  }
  rates.input_pico_usd = read_pico_usd(reader, "input_per_million_usd");
  rates.output_pico_usd = read_pico_usd(reader, "output_per_million_usd");
  rates.cached_input_pico_usd = reader.has("cached_input_per_million_usd")
                                    ? read_pico_usd(reader, "cached_input_per_million_usd")
                                    : rates.input_pico_usd;
  if (reader.has("cache_write_per_million_usd")) {
    rates.cache_write_pico_usd = read_pico_usd(reader, "cache_write_per_million_usd");
  }
}

}  // namespace

llm::ModelPrice read_price(ConfigReader& prices) {
  constexpr Range<std::uint64_t> kThresholds{1, 100'000'000};
  llm::ModelPrice price;
  read_rates(prices, price);
  for (ConfigReader& entry : prices.children("tiers")) {
    llm::PriceTier tier;
    if (!entry.has("above_input_tokens")) entry.reject("above_input_tokens", "expected a number of tokens");
    tier.above_input_tokens = entry.integer("above_input_tokens", kThresholds.min, kThresholds);
    read_rates(entry, tier);
    entry.reject_unknown_keys();
    if (!price.tiers.empty() && tier.above_input_tokens <= price.tiers.back().above_input_tokens) {
      entry.reject("above_input_tokens", "expected more than in the tier before it");
    }
    price.tiers.push_back(tier);
  }
  prices.reject_unknown_keys();
  return price;
}

}  // namespace parley::budget
