#include "services/cli/feed.hpp"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using std::chrono::milliseconds;

TEST(Pacer, without_a_rate_everything_is_due_at_once) {
  const TimePoint start{std::chrono::hours(1)};
  EXPECT_EQ(Pacer(start, 0).due(1'000'000), start);
}

TEST(Pacer, spreads_messages_evenly_without_drift) {
  const TimePoint start{std::chrono::hours(1)};
  const Pacer pacer(start, 3);
  EXPECT_EQ(pacer.due(0), start);
  EXPECT_EQ(pacer.due(3'000'000), start + std::chrono::seconds(1'000'000));
  EXPECT_NEAR(static_cast<double>((pacer.due(1) - start).count()), 333'333'333.0, 1.0);
}

TEST(Progress, shows_the_share_of_the_file) {
  const FeedSummary summary{.sent = 1234, .failures = {}};
  EXPECT_EQ(render_progress(50, 100, summary, 40), "[#########----------]   50 %  1,234 sent");
}

TEST(Progress, counts_failures) {
  const FeedSummary summary{.sent = 3, .failures = {{"timeout", 1}, {"overloaded", 1}}};
  EXPECT_EQ(render_progress(0, 0, summary, 80), "3 sent, 2 failed");
}

TEST(Progress, never_exceeds_the_width) {
  const FeedSummary summary{.sent = 1'000'000, .failures = {{"timeout", 1'000}}};
  for (std::size_t width = 1; width < 100; ++width) EXPECT_LE(render_progress(7, 9, summary, width).size(), width);
}

TEST(Progress, a_file_that_grew_stays_at_a_hundred_percent) {
  EXPECT_NE(render_progress(200, 100, {}, 80).find("100 %"), std::string::npos);
}

}  // namespace
}  // namespace parley::cli
