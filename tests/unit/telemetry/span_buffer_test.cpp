#include "agents/telemetry/span_buffer.hpp"

#include <gtest/gtest.h>

namespace parley::telemetry {
namespace {

using namespace std::chrono_literals;

class SpanBufferTest : public ::testing::Test {
 protected:
  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) buffer_.add(Span{.name = std::to_string(added_++)}, clock_.now());
  }
  [[nodiscard]] bool is_due() const {
    const auto due = buffer_.next_export(clock_.now());
    return due && *due <= clock_.now();
  }
  void expect_counts(std::uint64_t exported, std::uint64_t refused, std::uint64_t dropped, std::uint64_t waiting) {
    const SpanCounts counts = buffer_.counts();
    EXPECT_EQ(counts.exported, exported);
    EXPECT_EQ(counts.refused, refused);
    EXPECT_EQ(counts.dropped, dropped);
    EXPECT_EQ(counts.waiting, waiting);
  }

  ManualClock clock_;
  SeededRandom random_{1};
  SpanBuffer buffer_{{.max_spans = 10, .max_batch = 4, .delay = 1s, .retry = {1s, 30s}}};
  std::size_t added_ = 0;
};

TEST_F(SpanBufferTest, waits_a_moment_for_company) {
  EXPECT_FALSE(buffer_.next_export(clock_.now()).has_value());
  add(1);
  EXPECT_FALSE(is_due());
  clock_.advance(1s);
  EXPECT_TRUE(is_due());
}

TEST_F(SpanBufferTest, sends_a_full_batch_at_once_and_in_order) {
  add(5);
  ASSERT_TRUE(is_due());
  const auto batch = buffer_.begin_export();
  ASSERT_EQ(batch.size(), 4U);
  EXPECT_EQ(batch.front().name, "0");
  EXPECT_EQ(batch.back().name, "3");
}

TEST_F(SpanBufferTest, has_one_batch_under_way) {
  add(8);
  (void)buffer_.begin_export();
  EXPECT_FALSE(buffer_.next_export(clock_.now()).has_value());
  buffer_.note_delivered(0);
  EXPECT_TRUE(is_due());
  expect_counts(4, 0, 0, 4);
}

TEST_F(SpanBufferTest, drops_and_counts_what_finds_no_room) {
  add(4);
  (void)buffer_.begin_export();
  add(9);
  expect_counts(0, 0, 3, 10);
}

TEST_F(SpanBufferTest, tries_a_failed_batch_again_later_and_later) {
  add(4);
  Duration last{};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(buffer_.begin_export().front().name, "0");
    buffer_.note_failed(clock_.now(), random_, std::nullopt);
    const Duration wait = buffer_.next_export(clock_.now()).value() - clock_.now();
    EXPECT_GT(wait, last / 2);
    EXPECT_GE(wait, 500ms * (1 << i));
    last = wait;
    clock_.advance(wait);
    EXPECT_TRUE(is_due());
  }
  expect_counts(0, 0, 0, 4);
}

TEST_F(SpanBufferTest, waits_as_long_as_the_collector_asks_for) {
  add(4);
  (void)buffer_.begin_export();
  buffer_.note_failed(clock_.now(), random_, 60s);
  EXPECT_EQ(buffer_.next_export(clock_.now()), clock_.now() + 60s);
}

TEST_F(SpanBufferTest, forgets_what_the_collector_refuses) {
  add(4);
  (void)buffer_.begin_export();
  buffer_.note_refused();
  expect_counts(0, 4, 0, 0);
  add(4);
  (void)buffer_.begin_export();
  buffer_.note_delivered(1);
  expect_counts(3, 5, 0, 0);
}

TEST_F(SpanBufferTest, does_not_wait_when_it_is_urgent) {
  add(1);
  EXPECT_EQ(buffer_.next_export(clock_.now(), true), clock_.now());
  (void)buffer_.begin_export();
  buffer_.note_failed(clock_.now(), random_, 60s);
  EXPECT_EQ(buffer_.next_export(clock_.now(), true), clock_.now());
}

TEST_F(SpanBufferTest, counts_as_dropped_what_is_given_up) {
  add(6);
  (void)buffer_.begin_export();
  buffer_.give_up();
  expect_counts(0, 0, 6, 0);
  EXPECT_TRUE(buffer_.is_empty());
  buffer_.note_delivered(0);  // The answer came after all.
  expect_counts(0, 0, 6, 0);
}

}  // namespace
}  // namespace parley::telemetry
