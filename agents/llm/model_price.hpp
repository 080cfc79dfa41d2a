// What a model's tokens cost. Whole numbers, so that sums of millions of calls stay exact: prices of providers have up
// to six decimals for a million tokens, which are whole pico-dollars for one. Pure; any thread.
#pragma once

#include <cstdint>

#include "libmsg/messages/text.hpp"

namespace parley::llm {

/// Of one token, in pico-dollars.
struct ModelPrice {
  std::uint64_t input_pico_usd = 0;
  std::uint64_t cached_input_pico_usd = 0;
  std::uint64_t output_pico_usd = 0;
  friend bool operator==(const ModelPrice&, const ModelPrice&) = default;
};

/// Cached tokens are part of the input; a provider that counts more of them than input is believed for the input.
[[nodiscard]] std::uint64_t cached_input_of(const messages::Usage& usage);

/// Rounded to the nearest nano-dollar.
[[nodiscard]] std::uint64_t cost_nano_usd(const messages::Usage& usage, const ModelPrice& price);

}  // namespace parley::llm
