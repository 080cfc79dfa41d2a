#include "libmsg/core/latency_window.hpp"

#include <gtest/gtest.h>

namespace parley {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

TEST(LatencyWindow, has_average_and_percentiles_within_three_percent) {
  LatencyWindow window;
  for (int i = 1; i <= 1000; ++i) window.record(std::chrono::milliseconds(i), kStart);
  const LatencySummary summary = window.summary(kStart);
  EXPECT_EQ(summary.count, 1000U);
  EXPECT_EQ(summary.avg_us, 500'500U);
  EXPECT_NEAR(static_cast<double>(summary.p50_us), 500'000, 16'000);
  EXPECT_NEAR(static_cast<double>(summary.p95_us), 950'000, 30'000);
}

TEST(LatencyWindow, keeps_a_period_and_forgets_the_one_before_it) {
  LatencyWindow window;
  window.record(1s, kStart);
  window.record(2s, kStart + 61s);
  EXPECT_EQ(window.summary(kStart + 62s).count, 2U);
  EXPECT_EQ(window.summary(kStart + 122s).count, 1U);
  EXPECT_EQ(window.summary(kStart + 10min).count, 0U);
}

TEST(LatencyWindow, takes_a_clock_that_went_backwards_for_no_time) {
  LatencyWindow window;
  window.record(-5s, kStart);
  EXPECT_EQ(window.summary(kStart).p95_us, 0U);
  EXPECT_EQ(window.summary(kStart).count, 1U);
}

}  // namespace
}  // namespace parley
