// Calendar, estimates, price tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ledger/calendar.hpp"
#include "services/ledger/estimator.hpp"
#include "services/ledger/price_table.hpp"

namespace parley::ledger {
namespace {

using budget::Period;
using testing::HasSubstr;

std::string start_of(Period period, std::uint64_t ms) { return format_utc(period_start(period, wall_from_ms(ms))); }
std::string end_of(Period period, std::uint64_t ms) { return format_utc(*period_end(period, wall_from_ms(ms))); }

TEST(Calendar, cuts_time_at_hours_days_and_months_of_utc) {
  constexpr std::uint64_t kLeapDay = 1'835'440'245'678;  // 2028-02-29T12:30:45.678Z
  EXPECT_EQ(start_of(Period::hour, kLeapDay), "2028-02-29T12:00:00Z");
  EXPECT_EQ(end_of(Period::hour, kLeapDay), "2028-02-29T13:00:00Z");
  EXPECT_EQ(start_of(Period::day, kLeapDay), "2028-02-29T00:00:00Z");
  EXPECT_EQ(end_of(Period::day, kLeapDay), "2028-03-01T00:00:00Z");
  EXPECT_EQ(start_of(Period::month, kLeapDay), "2028-02-01T00:00:00Z");
  EXPECT_EQ(end_of(Period::month, kLeapDay), "2028-03-01T00:00:00Z");
  EXPECT_FALSE(period_end(Period::total, wall_from_ms(kLeapDay)));
}

TEST(Calendar, ends_december_in_the_next_year) {
  EXPECT_EQ(end_of(Period::month, 1'798'761'599'999), "2027-01-01T00:00:00Z");
}

TEST(Estimator, believes_the_fallback_until_it_has_seen_enough) {
  Estimator estimator(500);
  for (std::size_t i = 1; i < Estimator::kMinSamples; i++) estimator.learn("gpt", "hr", 10, {10, 3});
  EXPECT_EQ(estimator.estimate("gpt", "hr", {10, 0}).output_tokens, 500U);
  estimator.learn("gpt", "hr", 10, {10, 3});
  EXPECT_EQ(estimator.estimate("gpt", "hr", {10, 0}).output_tokens, 3U);
}

TEST(Estimator, takes_the_95th_percentile_of_the_last_outputs) {
  Estimator estimator(500);
  for (std::uint64_t i = 1; i <= 1000; i++) estimator.learn("gpt", "hr", 0, {1, 5000});
  for (std::uint64_t i = 1; i <= Estimator::kSamples; i++) estimator.learn("gpt", "hr", 0, {1, i});
  EXPECT_EQ(estimator.estimate("gpt", "hr", {1, 0}).output_tokens, 61U);
}

TEST(Estimator, never_exceeds_the_calls_own_limit) {
  const Estimator estimator(500);
  EXPECT_EQ(estimator.estimate("gpt", "hr", {10, 20}), (TokenEstimate{10, 20}));
}

TEST(Estimator, learns_nothing_from_answers_that_a_cache_gave) {
  Estimator estimator(1000);
  for (std::size_t i = 0; i < 2 * Estimator::kMinSamples; i++) estimator.learn("gpt", "hr", 10, {0, 0});
  EXPECT_EQ(estimator.estimate("gpt", "hr", {10, 0}).output_tokens, 1000U);
}

TEST(Estimator, learns_how_wrong_the_guesses_of_inputs_are) {
  Estimator estimator(500);
  for (int i = 0; i < 50; i++) estimator.learn("gpt", "hr", 100, {150, 1});
  EXPECT_NEAR(static_cast<double>(estimator.estimate("gpt", "hr", {1000, 0}).input_tokens), 1500, 2);
  for (int i = 0; i < 50; i++) estimator.learn("gpt", "hr", 1, {1'000'000, 1});
  EXPECT_LE(estimator.estimate("gpt", "hr", {1000, 0}).input_tokens, 8001U) << "nonsense is not learned";
}

TEST(Estimator, knows_models_and_agent_types_apart) {
  Estimator estimator(500);
  for (int i = 0; i < 10; i++) estimator.learn("gpt", "hr", 10, {10, 3});
  EXPECT_EQ(estimator.estimate("gpt", "it", {10, 0}).output_tokens, 500U);
  EXPECT_EQ(estimator.estimate("big", "hr", {10, 0}).output_tokens, 500U);
}

TEST(Estimator, forgets_the_pair_used_longest_ago_when_there_are_too_many) {
  Estimator estimator(500);
  for (int i = 0; i < 10; i++) estimator.learn("first", "hr", 10, {10, 3});
  for (std::size_t i = 0; i < Estimator::kMaxPairs; i++) estimator.learn("m" + std::to_string(i), "hr", 10, {10, 3});
  EXPECT_EQ(estimator.pairs(), Estimator::kMaxPairs);
  EXPECT_EQ(estimator.estimate("first", "hr", {10, 0}).output_tokens, 500U);
}

TEST(PriceTable, is_read_from_yaml) {
  const auto table = read_price_yaml(R"(
models:
  gpt-4o-mini: {input_per_million_usd: 0.15, output_per_million_usd: 0.6, cached_input_per_million_usd: 0.075}
  claude: {input_per_million_usd: 3, output_per_million_usd: 15, cache_write_per_million_usd: 3.75}
)",
                                     "prices.yaml");
  ASSERT_TRUE(table) << table.error().str();
  EXPECT_EQ(*table->find("gpt-4o-mini"), (llm::ModelPrice{150'000, 75'000, 600'000}));
  EXPECT_EQ(table->find("claude")->cache_write_pico_usd, 3'750'000U);
  EXPECT_EQ(table->find("gpt-4o"), nullptr);
  EXPECT_EQ(table->highest(), (llm::ModelPrice{3'000'000, 3'000'000, 15'000'000, 3'750'000}));
}

TEST(PriceTable, tells_everything_that_is_wrong_with_its_file) {
  const auto table = read_price_yaml("models: {a: {input_per_million_usd: -1, typo: 1}}\nmore: 1", "prices.yaml");
  ASSERT_FALSE(table);
  for (const char* part : {"prices.yaml:1: models.a.output_per_million_usd: expected a number",
                           "models.a.typo: unknown key", "'-1'", "prices.yaml:2: more: unknown key"}) {
    EXPECT_THAT(table.error().str(), HasSubstr(part));
  }
  EXPECT_FALSE(read_price_yaml("{}", "prices.yaml"));
}

TEST(PriceTable, is_read_from_the_map_of_litellm) {
  const auto table = read_price_json(R"({
    "sample_spec": {"mode": "one of chat, embedding"},
    "gpt-x": {"input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07, "cache_read_input_token_cost": 7.5e-08,
              "mode": "chat", "max_tokens": 16384},
    "long": {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
             "cache_creation_input_token_cost": 3.75e-06,
             "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05},
    "image": {"output_cost_per_image": 0.04}
  })",
                                     "prices.json");
  ASSERT_TRUE(table) << table.error().str();
  EXPECT_EQ(table->size(), 2U);
  EXPECT_EQ(*table->find("gpt-x"), (llm::ModelPrice{150'000, 75'000, 600'000}));
  const llm::ModelPrice expected{
      3'000'000, 3'000'000, 15'000'000, 3'750'000, {{200'000, 6'000'000, 6'000'000, 22'500'000}}};
  EXPECT_EQ(*table->find("long"), expected);
}

TEST(PriceTable, refuses_json_that_has_no_prices) {
  EXPECT_FALSE(read_price_json("[]", "prices.json"));
  EXPECT_FALSE(read_price_json("{\"a\": {\"input_cost_per_token\": \"free\"}}", "prices.json"));
  EXPECT_FALSE(load_prices("/nowhere/prices.json"));
}

}  // namespace
}  // namespace parley::ledger
