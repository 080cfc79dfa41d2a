#include "agents/budget/order_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::budget {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Queue : testing::Test {
  OrderQueue queue;
  TimePoint now{std::chrono::hours(1)};

  void reserve(const std::string& id, milliseconds patience = milliseconds(5000)) {
    messages::BudgetReserve order;
    order.id = id;
    ASSERT_TRUE(queue.reserve(order, now + patience));
  }
  void settle(const std::string& id) {
    messages::BudgetSettle order;
    order.id = id;
    queue.settle(order, now);
  }
  static messages::BudgetVerdicts grant(std::initializer_list<std::string> ids) {
    messages::BudgetVerdicts verdicts;
    verdicts.lease_ms = 3000;
    for (const std::string& id : ids) {
      messages::BudgetVerdict verdict;
      verdict.id = id;
      verdict.is_granted = true;
      verdicts.reserve.push_back(verdict);
    }
    return verdicts;
  }
  /// Reserves and gets it granted.
  void open(const std::string& id) {
    reserve(id);
    const auto batch = queue.next(now);
    ASSERT_TRUE(batch);
    ASSERT_EQ(queue.on_reply(batch->number, grant({id}), now).outcomes.size(), 1U);
  }
  static std::vector<std::string> ids_of(const std::vector<messages::BudgetReserve>& orders) {
    std::vector<std::string> ids;
    for (const auto& order : orders) ids.push_back(order.id);
    return ids;
  }
  static std::vector<std::string> ids_of(const std::vector<messages::BudgetSettle>& orders) {
    std::vector<std::string> ids;
    for (const auto& order : orders) ids.push_back(order.id);
    return ids;
  }
  static Error lost() { return {ErrorCode::broker_lost, "the broker went"}; }
};

TEST_F(Queue, sends_what_has_come_together_in_one_batch) {
  reserve("a");
  reserve("b");
  settle("c");
  const auto batch = queue.next(now);
  ASSERT_TRUE(batch);
  EXPECT_THAT(ids_of(batch->orders.reserve), ElementsAre("a", "b"));
  EXPECT_THAT(ids_of(batch->orders.settle), ElementsAre("c"));
  EXPECT_FALSE(queue.next(now));
}

TEST_F(Queue, has_few_batches_under_way_and_fills_them) {
  for (std::size_t i = 0; i < OrderQueue::kMaxInFlight; i++) {
    reserve("r" + std::to_string(i));
    ASSERT_TRUE(queue.next(now));
  }
  for (std::size_t i = 0; i < OrderQueue::kMaxBatch + 5; i++) reserve("w" + std::to_string(i));
  EXPECT_FALSE(queue.next(now));
  queue.on_reply(1, grant({"r0"}), now);
  EXPECT_EQ(queue.next(now)->orders.reserve.size(), OrderQueue::kMaxBatch);
}

TEST_F(Queue, repeats_what_was_not_answered_under_the_same_ids) {
  reserve("a");
  settle("b");
  const auto first = queue.next(now);
  EXPECT_THAT(queue.on_failure(first->number, lost(), now), IsEmpty());
  EXPECT_FALSE(queue.next(now)) << "not at once";
  ASSERT_TRUE(queue.wake_at());
  now = *queue.wake_at();
  const auto second = queue.next(now);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->orders, first->orders);
}

TEST_F(Queue, waits_longer_after_each_failure_up_to_a_second) {
  settle("a");
  milliseconds longest{};
  for (int i = 0; i < 20; i++) {
    const auto batch = queue.next(now);
    ASSERT_TRUE(batch);
    queue.on_failure(batch->number, lost(), now);
    longest = std::max(longest, std::chrono::duration_cast<milliseconds>(*queue.wake_at() - now));
    now = *queue.wake_at();
  }
  EXPECT_EQ(longest, OrderQueue::kLongestPause);
}

TEST_F(Queue, ends_a_reserve_whose_time_is_over_and_takes_it_back) {
  reserve("a", milliseconds(100));
  const auto batch = queue.next(now);
  EXPECT_EQ(batch->timeout, milliseconds(100));
  now += milliseconds(100);
  const auto outcomes = queue.on_failure(batch->number, lost(), now);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].verdict.error().code, ErrorCode::unreachable);
  now = *queue.wake_at();
  EXPECT_THAT(queue.next(now)->orders.release, ElementsAre("a")) << "it may have been granted";
}

TEST_F(Queue, ends_a_reserve_that_could_not_even_be_sent) {
  settle("blocker");
  queue.on_failure(queue.next(now)->number, lost(), now);
  reserve("a", milliseconds(5));
  now += milliseconds(5);
  const auto outcomes = queue.expire(now);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].id, "a");
}

TEST_F(Queue, takes_back_a_reserve_that_nobody_waits_for) {
  reserve("unsent");
  queue.withdraw("unsent", now);
  EXPECT_FALSE(queue.next(now)) << "nobody has heard of it";
  reserve("a");
  const auto batch = queue.next(now);
  queue.withdraw("a", now);
  EXPECT_THAT(queue.next(now)->orders.release, ElementsAre("a"));
  EXPECT_THAT(queue.on_reply(batch->number, grant({"a"}), now).outcomes, IsEmpty());
  EXPECT_EQ(queue.open_count(), 0U) << "nothing is renewed for it";
}

TEST_F(Queue, renews_what_is_open_and_nothing_else) {
  open("a");
  open("b");
  open("c");
  settle("b");
  ASSERT_TRUE(queue.next(now));
  now += milliseconds(999);
  EXPECT_FALSE(queue.next(now));
  now += milliseconds(1);
  EXPECT_EQ(queue.wake_at(), now);
  EXPECT_THAT(queue.next(now)->orders.renew, UnorderedElementsAre("a", "c"));
}

TEST_F(Queue, tells_when_a_settlement_was_written_down) {
  settle("a");
  const TimePoint ended = now;
  const auto batch = queue.next(now);
  EXPECT_EQ(queue.reports_waiting(), 1U);
  now += milliseconds(7);
  const auto answered = queue.on_reply(batch->number, grant({}), now);
  ASSERT_EQ(answered.settled.size(), 1U);
  EXPECT_EQ(answered.settled[0].since, ended);
  EXPECT_EQ(queue.reports_waiting(), 0U);
  EXPECT_TRUE(queue.is_idle());
}

TEST_F(Queue, gives_up_a_settlement_before_the_ledger_has_forgotten_its_id) {
  settle("a");
  while (queue.reports_dropped() == 0) {
    const auto batch = queue.next(now);
    ASSERT_TRUE(batch);
    now += std::chrono::minutes(1);
    queue.on_failure(batch->number, lost(), now);
    if (queue.wake_at()) now = *queue.wake_at();
    ASSERT_LT(now, TimePoint(std::chrono::hours(2)));
  }
  EXPECT_TRUE(queue.is_idle());
}

TEST_F(Queue, keeps_a_settlement_for_as_long_as_it_could_not_be_sent) {
  for (std::size_t i = 0; i < OrderQueue::kMaxInFlight; i++) {
    reserve("r" + std::to_string(i));
    ASSERT_TRUE(queue.next(now));
  }
  settle("a");
  now += std::chrono::hours(5);
  queue.on_failure(1, lost(), now);
  now = *queue.wake_at();
  EXPECT_THAT(ids_of(queue.next(now)->orders.settle), ElementsAre("a"));
}

TEST_F(Queue, is_bounded_and_counts_what_it_drops) {
  for (std::size_t i = 0; i < OrderQueue::kMaxReserves; i++) reserve("r" + std::to_string(i));
  messages::BudgetReserve more;
  more.id = "more";
  EXPECT_EQ(queue.reserve(more, now).error().code, ErrorCode::overloaded);
  for (std::size_t i = 0; i < OrderQueue::kMaxReports + 3; i++) settle("s" + std::to_string(i));
  EXPECT_EQ(queue.reports_dropped(), 3U);
}

}  // namespace
}  // namespace parley::budget
