// Reads what a model's tokens cost, the same for `price:` of a model and for the entries of a price table.
// Before anything runs; any thread.
#pragma once

#include "agents/llm/model_price.hpp"
#include "services/config/reader.hpp"

namespace parley::budget {

/// Reads the map `{input_per_million_usd, output_per_million_usd, cached_input_per_million_usd,
/// cache_write_per_million_usd, tiers: [{above_input_tokens, …}]}` and notes problems there, unknown keys included.
[[nodiscard]] llm::ModelPrice read_price(config::ConfigReader& prices);

}  // namespace parley::budget
