// What a model's tokens cost. Whole numbers, so that sums of millions of calls stay exact: prices of providers have up
// to six decimals for a million tokens, which are whole pico-dollars for one. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libmsg/messages/text.hpp"

namespace parley::llm {

/// The prices of a request whose input is larger than a threshold. The whole request has them, not only what lies
/// above.
struct PriceTier {
  std::uint64_t above_input_tokens = 0;
  std::uint64_t input_pico_usd = 0;
  std::uint64_t cached_input_pico_usd = 0;
  std::uint64_t output_pico_usd = 0;
  /// Unset: as the input.
  std::optional<std::uint64_t> cache_write_pico_usd = std::nullopt;
  friend bool operator==(const PriceTier&, const PriceTier&) = default;
};

/// Of one token, in pico-dollars.
struct ModelPrice {
  std::uint64_t input_pico_usd = 0;
  std::uint64_t cached_input_pico_usd = 0;
  std::uint64_t output_pico_usd = 0;
  /// Of input that is written to the provider's cache; unset: as the input.
  std::optional<std::uint64_t> cache_write_pico_usd = std::nullopt;
  /// By rising threshold.
  std::vector<PriceTier> tiers = {};
  friend bool operator==(const ModelPrice&, const ModelPrice&) = default;
};

/// Cached tokens are part of the input; a provider that counts more of them than input is believed for the input.
[[nodiscard]] std::uint64_t cached_input_of(const messages::Usage& usage);
/// Tokens written to the cache are part of the input that was not read from it.
[[nodiscard]] std::uint64_t cache_write_of(const messages::Usage& usage);

/// Rounded to the nearest nano-dollar. What no number can hold is the largest one: nonsense is never cheap.
[[nodiscard]] std::uint64_t cost_nano_usd(const messages::Usage& usage, const ModelPrice& price);

/// The most that so many tokens can cost, however much of the input is cached.
[[nodiscard]] std::uint64_t highest_cost_nano_usd(std::uint64_t input_tokens, std::uint64_t output_tokens,
                                                  const ModelPrice& price);

}  // namespace parley::llm
