#include "libmsg/runtime/vitals_board.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <string>
#include <thread>

#include "libmsg/runtime/turn_record.hpp"

namespace parley {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

wire::WorkerVitals news_of(std::string type, std::uint32_t inflight = 0) {
  wire::WorkerVitals news;
  news.types = {{.name = std::move(type), .inflight = inflight}};
  return news;
}

TEST(VitalsBoard, measures_how_long_the_loop_took_to_answer) {
  VitalsBoard board;
  EXPECT_TRUE(board.ask(kStart));
  EXPECT_FALSE(board.ask(kStart + 5ms)) << "one question at a time";
  EXPECT_TRUE(board.is_due(kStart + 10ms));
  board.post(news_of("hr"), kStart + 20ms);
  EXPECT_FALSE(board.is_due(kStart + 21ms));
  EXPECT_EQ(board.read(kStart + 1s).loop_lag_ms, 20U);
}

TEST(VitalsBoard, lag_and_lack_of_progress_grow_while_the_loop_owes_an_answer) {
  VitalsBoard board;
  board.post(news_of("hr"), kStart);
  board.set_running("hr/alice");
  (void)board.ask(kStart + 1s);
  const wire::WorkerVitals stuck = board.read(kStart + 4s);
  EXPECT_EQ(stuck.loop_lag_ms, 3000U);
  EXPECT_EQ(stuck.executing, std::vector<std::string>{"hr/alice"});
  EXPECT_EQ(stuck.types[0].oldest_without_progress_ms, 3000U);
  EXPECT_EQ(stuck.types[0].inflight, 1U) << "although the last news said nothing of it";
}

TEST(VitalsBoard, what_waits_in_a_mailbox_ages_while_the_loop_owes_an_answer) {
  VitalsBoard board;
  wire::WorkerVitals news = news_of("hr", 1);
  news.types[0].waiting = 1;
  news.types[0].oldest_waiting_ms = 500;
  news.types.push_back({.name = "idle"});
  board.post(news, kStart);
  board.set_running("hr/alice");
  (void)board.ask(kStart + 1s);
  const wire::WorkerVitals stuck = board.read(kStart + 4s);
  EXPECT_EQ(stuck.types[0].oldest_waiting_ms, 3500U);
  EXPECT_EQ(stuck.types[1].oldest_waiting_ms, 0U);
}

TEST(VitalsBoard, short_wait_for_an_answer_is_no_news) {
  VitalsBoard board;
  board.post(news_of("hr", 1), kStart);
  board.set_running("hr/alice");
  (void)board.ask(kStart + 1s);
  const wire::WorkerVitals calm = board.read(kStart + 1s + 50ms);
  EXPECT_TRUE(calm.executing.empty());
  EXPECT_EQ(calm.types[0].oldest_without_progress_ms, 0U);
}

TEST(VitalsBoard, is_due_again_after_a_while_of_work) {
  VitalsBoard board;
  board.post(news_of("hr"), kStart);
  EXPECT_FALSE(board.is_due(kStart + 200ms));
  EXPECT_TRUE(board.is_due(kStart + 250ms));
}

TEST(SharedText, is_read_whole_while_another_thread_writes) {
  SharedText text;
  std::atomic<bool> is_over{false};
  const std::string texts[] = {std::string(5, 'a'), std::string(40, 'b'), std::string(SharedText::kMaxBytes, 'c')};
  std::thread writer([&] {
    for (int i = 0; !is_over; ++i) text.set(texts[i % 3]);
  });
  for (int i = 0; i < 10'000; ++i) {
    const std::string seen = text.get();
    const bool is_whole = seen.empty() || seen == texts[0] || seen == texts[1] || seen == texts[2];
    EXPECT_TRUE(is_whole) << seen;
  }
  is_over = true;
  writer.join();
}

TEST(SharedText, is_cut_to_its_bound) {
  SharedText text;
  text.set(std::string(1000, 'x'));
  EXPECT_EQ(text.get(), std::string(SharedText::kMaxBytes, 'x'));
}

TEST(TurnFault, is_the_agents_own_only_for_what_the_agent_did) {
  EXPECT_EQ(fault_of(std::nullopt, false), TurnFault::none);
  EXPECT_EQ(fault_of(ErrorCode::handler_failed, false), TurnFault::own);
  EXPECT_EQ(fault_of(ErrorCode::activation_failed, false), TurnFault::own);
  EXPECT_EQ(fault_of(ErrorCode::no_reply, false), TurnFault::own);
  EXPECT_EQ(fault_of(ErrorCode::handler_failed, true), TurnFault::model);
  EXPECT_EQ(fault_of(ErrorCode::upstream_failed, false), TurnFault::model);
  for (const ErrorCode code : {ErrorCode::cancelled, ErrorCode::invalid, ErrorCode::no_handler, ErrorCode::timeout,
                               ErrorCode::overloaded, ErrorCode::shutting_down}) {
    EXPECT_EQ(fault_of(code, false), TurnFault::others) << to_string(code);
  }
}

TEST(TurnTally, counts_failures_in_a_row_until_a_success) {
  TurnTally tally;
  for (int i = 0; i < 3; ++i) tally.add_turn(TurnFault::own, false, kStart);
  tally.add_turn(TurnFault::others, false, kStart);
  EXPECT_EQ(tally.consecutive_failures, 3U) << "what others did changes nothing";
  tally.add_turn(TurnFault::none, false, kStart + 1s);
  EXPECT_EQ(tally.consecutive_failures, 0U);
  EXPECT_EQ(tally.failures, 3U);
  EXPECT_EQ(tally.successes, 1U);
  EXPECT_EQ(tally.last_activity, kStart + 1s);
}

TEST(TurnTally, model_failure_is_counted_once_and_outlives_a_turn_that_coped_with_it) {
  TurnTally tally;
  tally.add_model_failure();
  tally.add_turn(TurnFault::none, true, kStart);
  EXPECT_EQ(tally.consecutive_model_failures, 1U);
  tally.add_turn(TurnFault::model, false, kStart);
  EXPECT_EQ(tally.model_failures, 2U);
  tally.add_model_success();
  EXPECT_FALSE(tally.is_failing());
}

TEST(RecentLatencies, are_those_of_the_last_turns) {
  RecentLatencies latencies;
  EXPECT_EQ(latencies.avg_us(), 0U);
  latencies.record(1h);
  for (int i = 0; i < 16; ++i) latencies.record(10us);
  latencies.record(26us);
  EXPECT_EQ(latencies.avg_us(), 11U);
  EXPECT_EQ(latencies.p95_us(), 26U);
}

}  // namespace
}  // namespace parley
