#include "agents/llm/model_price.hpp"

#include <algorithm>

namespace parley::llm {

std::uint64_t cached_input_of(const messages::Usage& usage) {
  return std::min(usage.cached_input_tokens, usage.input_tokens);
}

std::uint64_t cost_nano_usd(const messages::Usage& usage, const ModelPrice& price) {
  constexpr std::uint64_t kPicoPerNano = 1000;
  const std::uint64_t cached = cached_input_of(usage);
  const std::uint64_t pico = (usage.input_tokens - cached) * price.input_pico_usd +
                             cached * price.cached_input_pico_usd + usage.output_tokens * price.output_pico_usd;
  return (pico + kPicoPerNano / 2) / kPicoPerNano;
}

}  // namespace parley::llm
