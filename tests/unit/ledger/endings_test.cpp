// Every way in which a call can end frees what it held and charges it exactly once.
#include "tests/unit/ledger/book_fixture.hpp"

namespace parley::ledger {
namespace {

using budget::Scope;

struct Endings : testing::Test {
  BookBench bench{{limit("all", Scope::all, "", 1000), limit("talk", Scope::conversation, "*", 1000)}};
  void begin() { ASSERT_TRUE(bench.grants("a", {60, 40})); }
  void expect(std::uint64_t spent, std::uint64_t held) {
    for (const auto& [name, subject] : {std::pair{"all", ""}, std::pair{"talk", "c1"}}) {
      EXPECT_EQ(bench.spent(name, subject), spent) << name;
      EXPECT_EQ(bench.held(name, subject), held) << name;
    }
  }
  /// As the service does: what was stored about a call is shown to the book again.
  void store_and_recall() {
    for (const ClosedCall& call : bench.book->take_changes().closed) stored[call.id] = call;
    for (const auto& [id, call] : stored) bench.book->recall(call);
  }
  void end_lease() { bench.advance(bench.book->lease()); }
  std::map<std::string, ClosedCall> stored;
};

TEST_F(Endings, in_success_charge_the_real_usage) {
  begin();
  bench.settle("a", {50, 10});
  expect(60, 0);
}

TEST_F(Endings, without_a_call_charge_nothing) {
  begin();
  bench.release("a");
  expect(0, 0);
}

TEST_F(Endings, that_nobody_reports_charge_the_estimate_when_the_lease_ends) {
  begin();
  bench.advance(bench.book->lease() - std::chrono::milliseconds(1));
  expect(0, 100);
  bench.advance(std::chrono::milliseconds(1));
  expect(100, 0);
  EXPECT_EQ(bench.row("all").estimated_nano_usd, 100 * kNanoPerToken);
  EXPECT_EQ(bench.book->counts().expired, 1U);
}

TEST_F(Endings, are_put_off_as_long_as_the_lease_is_renewed) {
  begin();
  for (int i = 0; i < 100; i++) {
    bench.advance(bench.book->lease() / 3);
    ASSERT_TRUE(bench.book->renew("a", bench.now));
  }
  expect(0, 100);
  end_lease();
  expect(100, 0);
  EXPECT_FALSE(bench.book->renew("a", bench.now));
}

TEST_F(Endings, told_after_the_lease_correct_what_was_estimated) {
  begin();
  end_lease();
  bench.settle("a", {20, 10});
  expect(30, 0);
  EXPECT_EQ(bench.row("all").estimated_nano_usd, 0U);
}

TEST_F(Endings, told_after_the_lease_and_a_commit_correct_it_as_well) {
  begin();
  end_lease();
  store_and_recall();
  bench.settle("a", {20, 10});
  expect(30, 0);
}

TEST_F(Endings, without_a_call_after_the_lease_give_the_estimate_back) {
  begin();
  end_lease();
  store_and_recall();
  bench.release("a");
  expect(0, 0);
}

TEST_F(Endings, told_twice_charge_once) {
  begin();
  bench.settle("a", {20, 10});
  bench.settle("a", {20, 10});
  store_and_recall();
  bench.settle("a", {20, 10});
  bench.release("a");
  expect(30, 0);
  EXPECT_EQ(bench.book->counts().repeated, 3U);
}

TEST_F(Endings, corrected_twice_charge_once) {
  begin();
  end_lease();
  store_and_recall();
  bench.settle("a", {20, 10});
  store_and_recall();
  bench.settle("a", {20, 10});
  expect(30, 0);
}

TEST_F(Endings, told_after_a_reset_leave_the_new_count_alone) {
  begin();
  end_lease();
  bench.advance(std::chrono::seconds(1));
  ASSERT_TRUE(bench.book->reset({.name = "all"}, bench.now));
  store_and_recall();
  bench.settle("a", {20, 10});
  EXPECT_EQ(bench.spent("all"), 0U) << "what it corrects was forgiven";
  EXPECT_EQ(bench.spent("talk", "c1"), 30U);
}

TEST_F(Endings, of_a_broken_stream_are_charged_as_estimated) {
  begin();
  messages::BudgetSettle order;
  order.id = "a";
  order.agent = bench.agent;
  order.conversation = bench.conversation;
  order.model = bench.model;
  order.usage.input_tokens = 60;
  order.usage.output_tokens = 7;
  order.usage.is_estimated = true;
  bench.book->settle(order, bench.now);
  expect(67, 0);
  EXPECT_EQ(bench.row("all").estimated_nano_usd, 67 * kNanoPerToken);
}

TEST_F(Endings, of_calls_from_before_a_restart_come_with_a_fresh_lease) {
  begin();
  const BookChanges changes = bench.book->take_changes();
  bench.advance(bench.book->lease() * 10);
  bench.start();
  bench.book->restore({.accounts = changes.accounts, .reservations = changes.opened}, bench.now);
  expect(0, 100);
  bench.settle("a", {20, 10});
  expect(30, 0);
}

}  // namespace
}  // namespace parley::ledger
