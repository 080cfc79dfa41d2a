#include "libmsg/runtime/timer_queue.hpp"

#include <gmock/gmock.h>
#include <random>

namespace parley {
namespace {

using ::testing::ElementsAre;

TimePoint due(int ms) { return TimePoint(std::chrono::milliseconds(ms)); }

std::vector<int> drain(TimerQueue<int>& queue, TimePoint now) {
  std::vector<int> due;
  while (const auto value = queue.take_due(now)) due.push_back(*value);
  return due;
}

TEST(TimerQueue, gives_out_the_earliest_first) {
  TimerQueue<int> queue;
  for (const int ms : {30, 10, 20}) queue.add(due(ms), ms);
  EXPECT_EQ(queue.next(), due(10));
  EXPECT_THAT(drain(queue, due(100)), ElementsAre(10, 20, 30));
}

TEST(TimerQueue, keeps_the_order_of_equal_times) {
  TimerQueue<int> queue;
  for (int i = 0; i < 5; ++i) queue.add(due(10), i);
  EXPECT_THAT(drain(queue, due(10)), ElementsAre(0, 1, 2, 3, 4));
}

TEST(TimerQueue, holds_back_what_is_not_due) {
  TimerQueue<int> queue;
  queue.add(due(10), 1);
  queue.add(due(11), 2);
  EXPECT_THAT(drain(queue, due(10)), ElementsAre(1));
  EXPECT_EQ(queue.size(), 1U);
}

TEST(TimerQueue, forgets_what_is_cancelled) {
  TimerQueue<int> queue;
  const TimerId first = queue.add(due(10), 1);
  queue.add(due(20), 2);
  EXPECT_TRUE(queue.cancel(first));
  EXPECT_FALSE(queue.cancel(first));
  EXPECT_THAT(drain(queue, due(100)), ElementsAre(2));
}

TEST(TimerQueue, does_not_confuse_a_reused_slot_with_the_old_entry) {
  TimerQueue<int> queue;
  const TimerId old = queue.add(due(10), 1);
  queue.cancel(old);
  queue.add(due(10), 2);
  EXPECT_FALSE(queue.cancel(old));
  EXPECT_EQ(queue.size(), 1U);
}

TEST(TimerQueue, default_id_names_nothing) {
  TimerQueue<int> queue;
  queue.add(due(10), 1);
  EXPECT_FALSE(queue.cancel(TimerId{}));
}

TEST(TimerQueue, empty_queue_is_never_due) {
  TimerQueue<int> queue;
  EXPECT_EQ(queue.next(), TimePoint::max());
  EXPECT_FALSE(queue.take_due(TimePoint::max()).has_value());
}

TEST(TimerQueue, stays_sorted_under_random_adding_and_cancelling) {
  std::mt19937 random(7);
  TimerQueue<int> queue;
  std::multimap<int, TimerId> expected;
  for (int i = 0; i < 2000; ++i) {
    const int ms = static_cast<int>(random() % 1000);
    expected.emplace(ms, queue.add(due(ms), ms));
    if (random() % 3 != 0) continue;
    auto victim = expected.begin();
    std::advance(victim, static_cast<std::ptrdiff_t>(random() % expected.size()));
    ASSERT_TRUE(queue.cancel(victim->second));
    expected.erase(victim);
  }
  EXPECT_EQ(queue.size(), expected.size());
  for (const auto& [ms, id] : expected) {
    ASSERT_LE(queue.next(), due(ms));
    ASSERT_EQ(queue.take_due(due(1000)), ms);
  }
  EXPECT_TRUE(queue.is_empty());
}

TEST(TimerQueue, asks_for_nothing_once_all_is_cancelled) {
  TimerQueue<int> queue;
  const TimerId one = queue.add(due(10), 1);
  const TimerId two = queue.add(due(20), 2);
  queue.cancel(one);
  queue.cancel(two);
  EXPECT_EQ(queue.next(), TimePoint::max());
}

/// As the deadlines of calls that are answered: what is asked for moves on, so that nobody wakes up for the past.
TEST(TimerQueue, does_not_keep_what_was_cancelled_long_ago) {
  TimerQueue<int> queue;
  std::deque<TimerId> under_way;
  for (int ms = 0; ms < 10'000; ++ms) {
    under_way.push_back(queue.add(due(ms), ms));
    if (under_way.size() <= 100) continue;
    ASSERT_TRUE(queue.cancel(under_way.front()));
    under_way.pop_front();
    ASSERT_GE(queue.next(), due(ms - 300));
  }
  EXPECT_EQ(queue.size(), 100U);
}

}  // namespace
}  // namespace parley
