// What users of other gateways complain about, each complaint as a test. The numbers are those of LiteLLM's threads.
#include <algorithm>

#include "tests/unit/ledger/book_fixture.hpp"

namespace parley::ledger {
namespace {

using budget::Period;
using budget::Scope;

// #34732 (session), #40095 (end user), PR #40002: check, then call, then increment; 4 of 5 concurrent calls admitted,
// 0.60 dollars spent of 0.45.
TEST(Regression, concurrent_calls_of_a_session_do_not_slip_past_its_limit_together) {
  BookBench bench({limit("session", Scope::conversation, "*", 450)});
  int admitted = 0;
  for (const char* id : {"a", "b", "c", "d", "e"}) admitted += bench.grants(id, {50, 100}) ? 1 : 0;
  EXPECT_EQ(admitted, 3);
  for (const char* id : {"a", "b", "c"}) bench.settle(id, {50, 100});
  EXPECT_EQ(bench.spent("session", "c1"), 450U);
}

// #26672, #27381: enforcement that one scope has and another has not.
TEST(Regression, every_scope_is_enforced_and_refuses_with_the_same_code) {
  for (const auto& [scope, subject] :
       {std::pair{Scope::all, ""}, std::pair{Scope::agent_type, "hr"}, std::pair{Scope::agent, "hr/alice"},
        std::pair{Scope::conversation, "c1"}, std::pair{Scope::model, "gpt"}, std::pair{Scope::model, "*"}}) {
    BookBench bench({limit("one", scope, subject, 100)});
    ASSERT_TRUE(bench.grants("a", {100, 0}));
    EXPECT_EQ(bench.reserve("b", {1, 0}).code, "budget_exceeded") << budget::to_string(scope);
  }
}

// #27735, #27639, #36926: holds of calls that ended are never released, and everything is refused although little is
// spent.
TEST(Regression, no_hold_outlives_its_call_however_that_ends) {
  BookBench bench({limit("all", Scope::all, "", 1000)});
  ASSERT_TRUE(bench.grants("succeeds", {100, 0}));
  ASSERT_TRUE(bench.grants("fails", {100, 0}));
  ASSERT_TRUE(bench.grants("is_cancelled", {100, 0}));
  ASSERT_TRUE(bench.grants("is_never_heard_of", {100, 0}));
  bench.settle("succeeds", {10, 0});
  bench.release("fails");
  bench.settle("is_cancelled", {20, 0});
  bench.advance(bench.book->lease());
  EXPECT_EQ(bench.held("all"), 0U);
  EXPECT_EQ(bench.spent("all"), 130U);
  EXPECT_EQ(bench.book->open_count(), 0U);
}

// PR #38647: holds of input plus max_tokens fill the budget, though coding agents answer briefly.
TEST(Regression, large_output_limits_do_not_fill_the_budget_when_answers_are_short) {
  budget::BudgetsConfig learned;
  BookBench bench({limit("all", Scope::all, "", 100'000)}, learned);
  for (int i = 0; i < 10; i++) {
    const std::string id = "warm" + std::to_string(i);
    ASSERT_TRUE(bench.grants(id, {100, 64'000}));
    bench.settle(id, {100, 150});
  }
  int together = 0;
  while (together < 1000 && bench.grants("call" + std::to_string(together), {100, 64'000})) together++;
  EXPECT_GT(together, 300) << "with worst cases it would be one";
}

// #40020: counters that a process keeps to itself, and that never start anew.
TEST(Regression, a_period_ends_without_any_job_and_also_over_a_restart) {
  BookBench bench({limit("daily", Scope::all, "", 100, Period::day)});
  ASSERT_TRUE(bench.grants("a", {100, 0}));
  bench.settle("a", {100, 0});
  const std::vector<Account> stored = bench.book->take_changes().accounts;
  bench.start();
  bench.book->restore({.accounts = stored}, bench.now);
  EXPECT_FALSE(bench.grants("b", {1, 0})) << "a restart forgets nothing";
  bench.advance(std::chrono::hours(14));
  EXPECT_TRUE(bench.grants("c", {100, 0}));
}

// Docs: models that cost nothing pass by every budget.
TEST(Regression, a_free_model_still_counts_its_tokens) {
  BookBench bench({money("money", 0), limit("tokens", Scope::all, "", 100)});
  auto order = bench.order("a", {100, 0});
  order.model = "free";
  order.price.is_known = true;
  EXPECT_TRUE(bench.book->reserve(order, bench.now).is_granted) << "no money is needed";
  order.id = "b";
  EXPECT_EQ(bench.book->reserve(order, bench.now).budget, "tokens");
}

// PR #40002: the price of a long request's tier was not used, so the budget saw less than the bill.
TEST(Regression, a_request_that_has_passed_a_threshold_is_charged_by_its_tier) {
  BookBench bench({money("fleet", 1'000'000)});
  auto order = bench.order("a", {300, kUncapped});
  order.model = "tiered";
  order.price = budget::to_message(
      {1'000'000, 1'000'000, 1'000'000, std::nullopt, {{200, 4'000'000, 4'000'000, 4'000'000, std::nullopt}}});
  EXPECT_EQ(bench.book->reserve(order, bench.now).reserved_nano_usd, (300 + 4096) * 4 * kNanoPerToken);
}

// #12685, #6404: memory that grows with every call.
TEST(Regression, memory_does_not_grow_with_the_number_of_calls) {
  BookBench bench({limit("all", Scope::all, "", 100'000'000), limit("model", Scope::model, "*", 100'000'000)});
  for (int i = 0; i < 20'000; i++) {
    const std::string id = "call" + std::to_string(i);
    ASSERT_TRUE(bench.grants(id, {10, 10}));
    if (i % 3 == 0) bench.settle(id, {10, 10});
    if (i % 3 == 1) bench.release(id);
    if (i % 1000 == 0) {
      bench.advance(bench.book->lease());
      (void)bench.book->take_changes();
    }
  }
  bench.advance(bench.book->lease());
  EXPECT_EQ(bench.book->open_count(), 0U);
  EXPECT_EQ(bench.book->account_count(), 2U);
}

// #12159, #39136: every mistyped model and every end user mints a series.
TEST(Regression, metrics_have_one_row_for_each_limit_whatever_callers_call_themselves) {
  BookBench bench({limit("talk", Scope::conversation, "*", 1000), limit("model", Scope::model, "*", 1000)});
  for (int i = 0; i < 500; i++) {
    bench.conversation = "talk-" + std::to_string(i);
    bench.model = "gtp-" + std::to_string(i);
    ASSERT_TRUE(bench.grants(bench.conversation, {1, 1}));
  }
  bench.conversation = "talk-7";
  bench.model = "gtp-7";
  ASSERT_TRUE(bench.grants("again", {100, 1}));
  const std::vector<LimitFigures> figures = bench.book->figures(bench.now);
  ASSERT_EQ(figures.size(), 2U);
  for (const LimitFigures& figure : figures) {
    EXPECT_EQ(figure.accounts, 500U);
    EXPECT_EQ(figure.reserved.tokens, 2U + 101) << "that of the fullest account";
  }
}

}  // namespace
}  // namespace parley::ledger
