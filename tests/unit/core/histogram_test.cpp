#include "libmsg/core/histogram.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

TEST(Histogram, has_percentile_zero_while_it_is_empty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.percentile(50), 0U);
  EXPECT_EQ(histogram.count(), 0U);
}

TEST(Histogram, is_exact_for_small_values) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.percentile(50), 50U);
  EXPECT_EQ(histogram.percentile(99), 99U);
  EXPECT_EQ(histogram.percentile(100), 100U);
  EXPECT_EQ(histogram.percentile(0), 1U);
}

TEST(Histogram, keeps_three_digits_over_its_whole_range) {
  for (std::uint64_t value = 1; value < Histogram::kMaxValue; value = value * 3 + 1) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(Histogram::kMaxValue);
    const std::uint64_t shown = histogram.percentile(50);
    EXPECT_GE(shown, value);
    EXPECT_LE(static_cast<double>(shown - value), static_cast<double>(value) / 1000.0) << value;
  }
}

TEST(Histogram, records_a_value_above_its_range_as_the_largest) {
  Histogram histogram;
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.percentile(100), Histogram::kMaxValue);
}

TEST(Histogram, gives_after_a_merge_what_one_histogram_would) {
  Histogram left;
  Histogram right;
  Histogram both;
  for (std::uint64_t value = 1; value <= 5000; ++value) {
    (value % 2 == 0 ? left : right).record(value * 7919);
    both.record(value * 7919);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.max(), both.max());
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9})
    EXPECT_EQ(left.percentile(percent), both.percentile(percent));
}

}  // namespace
}  // namespace parley
