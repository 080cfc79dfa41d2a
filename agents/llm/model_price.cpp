#include "agents/llm/model_price.hpp"

#include <algorithm>
#include <limits>

namespace parley::llm {

namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kPicoPerNano = 1000;

/// total + tokens * price, at most the largest number.
std::uint64_t plus(std::uint64_t total, std::uint64_t tokens, std::uint64_t price) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(tokens, price, &product)) return kMax;
  return product > kMax - total ? kMax : total + product;
}

std::uint64_t in_nano(std::uint64_t pico) {
  return pico / kPicoPerNano + (pico % kPicoPerNano >= kPicoPerNano / 2 ? 1 : 0);
}

/// The prices that a request with so much input has.
PriceTier rates_for(std::uint64_t input_tokens, const ModelPrice& price) {
  PriceTier rates{0, price.input_pico_usd, price.cached_input_pico_usd, price.output_pico_usd,
                  price.cache_write_pico_usd};
  for (const PriceTier& tier : price.tiers) {
    if (input_tokens > tier.above_input_tokens && tier.above_input_tokens >= rates.above_input_tokens) rates = tier;
  }
  return rates;
}

std::uint64_t highest_at(std::uint64_t input_tokens, std::uint64_t output_tokens, const PriceTier& rates) {
  const std::uint64_t input = std::max(
      {rates.input_pico_usd, rates.cached_input_pico_usd, rates.cache_write_pico_usd.value_or(rates.input_pico_usd)});
  return in_nano(plus(plus(0, input_tokens, input), output_tokens, rates.output_pico_usd));
}

}  // namespace

std::uint64_t cached_input_of(const messages::Usage& usage) {
  return std::min(usage.cached_input_tokens, usage.input_tokens);
}

std::uint64_t cache_write_of(const messages::Usage& usage) {
  return std::min(usage.cache_write_tokens, usage.input_tokens - cached_input_of(usage));
}

std::uint64_t cost_nano_usd(const messages::Usage& usage, const ModelPrice& price) {
  const std::uint64_t cached = cached_input_of(usage);
  const std::uint64_t written = cache_write_of(usage);
  const PriceTier rates = rates_for(usage.input_tokens, price);
  std::uint64_t pico = plus(0, usage.input_tokens - cached - written, rates.input_pico_usd);
  pico = plus(pico, cached, rates.cached_input_pico_usd);
  pico = plus(pico, written, rates.cache_write_pico_usd.value_or(rates.input_pico_usd));
  return in_nano(plus(pico, usage.output_tokens, rates.output_pico_usd));
}

std::uint64_t highest_cost_nano_usd(std::uint64_t input_tokens, std::uint64_t output_tokens, const ModelPrice& price) {
  std::uint64_t highest = highest_at(input_tokens, output_tokens, rates_for(0, price));
  // A tier need not be dearer than the one below it, and the real input may be smaller than this bound.
  for (const PriceTier& tier : price.tiers) {
    if (input_tokens > tier.above_input_tokens) {
      highest = std::max(highest, highest_at(input_tokens, output_tokens, tier));
    }
  }
  return highest;
}

}  // namespace parley::llm
