#include "agents/llm/model_price.hpp"

#include <gtest/gtest.h>
#include <limits>

namespace parley::llm {
namespace {

// 0.15, 0.0375 and 0.60 dollars for a million tokens.
const ModelPrice kPrice{.input_pico_usd = 150'000, .cached_input_pico_usd = 37'500, .output_pico_usd = 600'000};

TEST(ModelPrice, charges_each_kind_of_token_its_own_price) {
  const messages::Usage usage{.input_tokens = 1'000, .output_tokens = 500, .cached_input_tokens = 400};
  EXPECT_EQ(cost_nano_usd(usage, kPrice), 600U * 150 + 400 * 37 + 400 / 2 + 500 * 600);
}

TEST(ModelPrice, rounds_to_the_nearest_nano_dollar) {
  EXPECT_EQ(cost_nano_usd({.input_tokens = 1, .cached_input_tokens = 1}, kPrice), 38U);
}

TEST(ModelPrice, does_not_charge_reasoning_twice) {
  EXPECT_EQ(cost_nano_usd({.output_tokens = 10, .reasoning_tokens = 10}, kPrice), 6'000U);
}

TEST(ModelPrice, charges_no_more_cached_tokens_than_there_was_input) {
  EXPECT_EQ(cost_nano_usd({.input_tokens = 2, .cached_input_tokens = 1'000}, kPrice), 75U);
}

TEST(ModelPrice, of_zero_costs_nothing) {
  EXPECT_EQ(cost_nano_usd({.input_tokens = 1'000'000, .output_tokens = 1'000'000}, ModelPrice{}), 0U);
}

TEST(ModelPrice, charges_writing_to_the_cache_its_own_price) {
  ModelPrice price = kPrice;
  price.cache_write_pico_usd = 187'500;
  const messages::Usage usage{.input_tokens = 100, .cached_input_tokens = 20, .cache_write_tokens = 40};
  EXPECT_EQ(cost_nano_usd(usage, price), (40U * 150'000 + 20 * 37'500 + 40 * 187'500) / 1000);
  EXPECT_EQ(cost_nano_usd(usage, kPrice), (80U * 150'000 + 20 * 37'500) / 1000) << "as the input if it has none";
}

// LiteLLM PR #40002: a mispriced tier broke a budget.
TEST(ModelPrice, prices_the_whole_request_by_the_tier_that_its_input_has_passed) {
  ModelPrice price = kPrice;
  price.tiers = {{.above_input_tokens = 200, .input_pico_usd = 300'000, .output_pico_usd = 900'000},
                 {.above_input_tokens = 400, .input_pico_usd = 500'000, .output_pico_usd = 950'000}};
  EXPECT_EQ(cost_nano_usd({.input_tokens = 200, .output_tokens = 10}, price), 200U * 150 + 10 * 600);
  EXPECT_EQ(cost_nano_usd({.input_tokens = 201, .output_tokens = 10}, price), 201U * 300 + 10 * 900);
  EXPECT_EQ(cost_nano_usd({.input_tokens = 401, .output_tokens = 10}, price), 401U * 500 + 10 * 950);
}

TEST(ModelPrice, of_nonsense_is_the_largest_number_and_never_wraps_around) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(cost_nano_usd({.input_tokens = kMax, .output_tokens = kMax}, kPrice), kMax / 1000 + 1);
}

TEST(ModelPrice, has_a_highest_cost_that_no_usage_within_it_exceeds) {
  ModelPrice price = kPrice;
  price.cache_write_pico_usd = 187'500;
  price.tiers = {{.above_input_tokens = 50, .input_pico_usd = 100'000, .output_pico_usd = 500'000}};
  const std::uint64_t highest = highest_cost_nano_usd(100, 100, price);
  for (const std::uint64_t input : {0U, 50U, 51U, 100U}) {
    for (const std::uint64_t part : {0U, 30U, 100U}) {
      for (const std::uint64_t written : {0U, 30U, 100U}) {
        const messages::Usage usage{
            .input_tokens = input, .output_tokens = 100, .cached_input_tokens = part, .cache_write_tokens = written};
        EXPECT_LE(cost_nano_usd(usage, price), highest) << input << ' ' << part << ' ' << written;
      }
    }
  }
}

}  // namespace
}  // namespace parley::llm
