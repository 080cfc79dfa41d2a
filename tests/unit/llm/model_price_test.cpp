#include "agents/llm/model_price.hpp"

#include <gtest/gtest.h>

namespace parley::llm {
namespace {

// 0.15, 0.0375 and 0.60 dollars for a million tokens.
constexpr ModelPrice kPrice{.input_pico_usd = 150'000, .cached_input_pico_usd = 37'500, .output_pico_usd = 600'000};

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

}  // namespace
}  // namespace parley::llm
