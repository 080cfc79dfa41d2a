#include "services/cli/figures.hpp"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

TEST(Figures, counts_and_rates_stay_short) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(9'999), "9999");
  EXPECT_EQ(format_count(12'345), "12.3k");
  EXPECT_EQ(format_count(999'960), "1.0M");
  EXPECT_EQ(format_count(123'456'789), "123M");
  EXPECT_EQ(format_rate(0.01), "0");
  EXPECT_EQ(format_rate(0.44), "0.4");
  EXPECT_EQ(format_rate(9.96), "10");
  EXPECT_EQ(format_rate(330'000), "330k");
}

TEST(Figures, a_latency_has_the_unit_that_fits) {
  EXPECT_EQ(format_latency(0), "-");
  EXPECT_EQ(format_latency(999), "999µs");
  EXPECT_EQ(format_latency(1'240), "1.2ms");
  EXPECT_EQ(format_latency(56'400), "56ms");
  EXPECT_EQ(format_latency(999'900), "1.0s");
  EXPECT_EQ(format_latency(12'000'000), "12s");
  EXPECT_EQ(format_latency(125'000'000), "2m05");
}

TEST(Figures, small_costs_are_not_shown_as_nothing) {
  EXPECT_EQ(format_cost(0), "$0");
  EXPECT_EQ(format_cost(1), "<$0.0001");
  EXPECT_EQ(format_cost(400'000), "$0.0004");
  EXPECT_EQ(format_cost(12'300'000'000), "$12.30");
  EXPECT_EQ(format_cost(12'300'000'000'000), "$12.3k");
}

TEST(Figures, bytes_and_ages_have_the_unit_that_fits) {
  EXPECT_EQ(format_bytes(0), "-");
  EXPECT_EQ(format_bytes(40'000'000), "38M");
  EXPECT_EQ(format_age(std::chrono::milliseconds(59'999)), "59s");
  EXPECT_EQ(format_age(std::chrono::milliseconds(303'000)), "5m03s");
  EXPECT_EQ(format_age(std::chrono::hours(25)), "1d01h");
}

}  // namespace
}  // namespace parley::cli
