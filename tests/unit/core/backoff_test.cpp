#include "libmsg/core/backoff.hpp"

#include <chrono>
#include <gtest/gtest.h>
#include <set>

namespace parley {
namespace {

using std::chrono::milliseconds;

/// Always the same number: 0 gives the whole delay, the maximum gives the half.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

// [P-HB-8]
TEST(Backoff, doubles_up_to_its_maximum) {
  FixedRandom no_jitter(0);
  Backoff backoff({milliseconds(100), milliseconds(700)});
  EXPECT_EQ(backoff.next(no_jitter), milliseconds(100));
  EXPECT_EQ(backoff.next(no_jitter), milliseconds(200));
  EXPECT_EQ(backoff.next(no_jitter), milliseconds(400));
  EXPECT_EQ(backoff.next(no_jitter), milliseconds(700));
  EXPECT_EQ(backoff.next(no_jitter), milliseconds(700));
}

TEST(Backoff, starts_over_after_reset) {
  FixedRandom no_jitter(0);
  Backoff backoff({milliseconds(100), milliseconds(5000)});
  (void)backoff.next(no_jitter);
  (void)backoff.next(no_jitter);
  EXPECT_EQ(backoff.failures(), 2U);
  backoff.reset();
  EXPECT_EQ(backoff.next(no_jitter), milliseconds(100));
}

TEST(Backoff, jitter_takes_at_most_half) {
  FixedRandom most(~std::uint64_t{0});
  Backoff backoff({milliseconds(100), milliseconds(5000)});
  const Duration shortest = backoff.next(most);
  EXPECT_GE(shortest, milliseconds(50));
  EXPECT_LT(shortest, milliseconds(51));
}

TEST(Backoff, spreads_peers_out) {
  SeededRandom random(1);
  std::set<Duration> delays;
  for (int peer = 0; peer < 100; ++peer) delays.insert(Backoff({milliseconds(100), milliseconds(5000)}).next(random));
  EXPECT_GT(delays.size(), 90U);
}

TEST(Backoff, stays_at_the_maximum_after_endless_failures) {
  FixedRandom no_jitter(0);
  Backoff backoff({milliseconds(3'600'000), milliseconds(7'200'000)});
  for (int failure = 0; failure < 10'000; ++failure) (void)backoff.next(no_jitter);
  EXPECT_EQ(backoff.next(no_jitter), milliseconds(7'200'000));
}

TEST(Random, unit_is_below_one_and_below_stays_below) {
  FixedRandom most(~std::uint64_t{0});
  EXPECT_LT(most.unit(), 1.0);
  EXPECT_EQ(most.below(0), 0U);
  EXPECT_LT(most.below(10), 10U);
}

// [P-SEC-2]
TEST(SystemRandom, does_not_repeat_itself) {
  SystemRandom first;
  SystemRandom second;
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 100; ++i) {
    numbers.insert(first.next());
    numbers.insert(second.next());
  }
  EXPECT_EQ(numbers.size(), 200U);
}

TEST(ManualClock, stands_still_until_advanced) {
  ManualClock clock;
  const TimePoint start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance(milliseconds(5));
  EXPECT_EQ(clock.now() - start, milliseconds(5));
}

}  // namespace
}  // namespace parley
