// What the book does with one call.
#include "tests/unit/ledger/book_fixture.hpp"

namespace parley::ledger {
namespace {

using budget::Period;
using budget::Scope;
using testing::HasSubstr;

TEST(Book, holds_an_estimate_until_the_real_usage_is_settled) {
  BookBench bench({limit("all", Scope::all, "", 1000)});
  ASSERT_TRUE(bench.grants("a", {100, 200}));
  EXPECT_EQ(bench.held("all"), 300U);
  EXPECT_EQ(bench.spent("all"), 0U);
  bench.settle("a", {90, 50});
  EXPECT_EQ(bench.held("all"), 0U);
  EXPECT_EQ(bench.spent("all"), 140U);
}

TEST(Book, refuses_what_spent_and_reserved_leave_no_room_for) {
  BookBench bench({limit("all", Scope::all, "", 1000)});
  ASSERT_TRUE(bench.grants("a", {400, 0}));
  bench.settle("a", {400, 0});
  ASSERT_TRUE(bench.grants("b", {100, 300}));
  EXPECT_TRUE(bench.grants("c", {100, 100})) << "exactly the rest";
  EXPECT_FALSE(bench.grants("d", {1, 0}));
}

TEST(Book, says_which_budget_of_whom_refuses_and_when_it_resets) {
  BookBench bench({limit("desk", Scope::agent_type, "hr", 100, Period::day)});
  ASSERT_TRUE(bench.grants("a", {60, 0}));
  bench.settle("a", {60, 0});
  const auto verdict = bench.reserve("b", {50, 0});
  EXPECT_FALSE(verdict.is_granted);
  EXPECT_EQ(verdict.code, "budget_exceeded");
  EXPECT_EQ(verdict.budget, "desk");
  EXPECT_EQ(verdict.scope, "agent_type");
  EXPECT_EQ(verdict.subject, "hr");
  EXPECT_EQ(verdict.per, "day");
  EXPECT_TRUE(verdict.has_tokens);
  EXPECT_EQ(verdict.limit_tokens, 100U);
  EXPECT_EQ(verdict.spent_tokens, 60U);
  EXPECT_FALSE(verdict.has_usd);
  EXPECT_EQ(format_utc(wall_from_ms(verdict.reset_ms)), "2026-11-22T00:00:00Z");
  EXPECT_EQ(verdict.reason,
            "budget 'desk' (agent type hr, 100 tokens a day) has no room for 50 tokens: 60 tokens spent, 0 tokens "
            "reserved; it resets at 2026-11-22T00:00:00Z");
}

TEST(Book, says_of_a_total_that_only_a_person_can_raise_it) {
  BookBench bench({money("fleet", 10)});
  const auto verdict = bench.reserve("a", {11, 0});
  EXPECT_EQ(verdict.reset_ms, 0U);
  EXPECT_THAT(verdict.reason, HasSubstr("it does not reset by itself ('parley budget set fleet' raises it)"));
}

TEST(Book, of_several_that_refuse_names_the_one_that_does_so_longest) {
  BookBench bench({limit("hourly", Scope::all, "", 10, Period::hour),
                   limit("monthly", Scope::all, "", 10, Period::month),
                   limit("daily", Scope::all, "", 10, Period::day)});
  EXPECT_EQ(bench.reserve("a", {11, 0}).budget, "monthly");
}

TEST(Book, tells_when_a_call_would_fit_without_those_under_way) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  ASSERT_TRUE(bench.grants("a", {80, 0}));
  EXPECT_TRUE(bench.reserve("b", {50, 0}).is_held);
  EXPECT_FALSE(bench.reserve("c", {101, 0}).is_held);
  EXPECT_EQ(bench.row("all").refused, 1U) << "one that waits is not refused yet";
}

TEST(Book, matches_everything_types_agents_conversations_and_models) {
  BookBench bench({limit("all", Scope::all, "", 1000), limit("type", Scope::agent_type, "hr", 1000),
                   limit("agent", Scope::agent, "hr/alice", 1000), limit("talk", Scope::conversation, "c1", 1000),
                   limit("model", Scope::model, "gpt", 1000), limit("other", Scope::agent, "hr/bob", 1000)});
  ASSERT_TRUE(bench.grants("a", {10, 0}));
  bench.settle("a", {10, 0});
  for (const char* name : {"all", "type", "agent", "talk", "model"}) EXPECT_EQ(bench.spent(name), 10U) << name;
  EXPECT_EQ(bench.spent("other"), 0U);
}

TEST(Book, gives_each_subject_of_a_limit_for_each_its_own_account) {
  BookBench bench({limit("talk", Scope::conversation, "*", 100)});
  ASSERT_TRUE(bench.grants("a", {100, 0}));
  EXPECT_FALSE(bench.grants("b", {1, 0}));
  bench.conversation = "c2";
  EXPECT_TRUE(bench.grants("c", {100, 0}));
  EXPECT_EQ(bench.held("talk", "c1"), 100U);
  EXPECT_EQ(bench.held("talk", "c2"), 100U);
}

TEST(Book, counts_money_and_tokens_of_one_limit_apart) {
  budget::Limit both = limit("both", Scope::all, "", 1'000'000);
  both.nano_usd = 50 * kNanoPerToken;
  BookBench bench({both});
  EXPECT_TRUE(bench.grants("a", {50, 0}));
  EXPECT_FALSE(bench.grants("b", {1, 0})) << "the money is gone, though tokens are left";
}

TEST(Book, lets_a_soft_limit_refuse_nothing_and_tells_of_it) {
  budget::Limit soft = limit("soft", Scope::all, "", 10);
  soft.is_soft = true;
  BookBench bench({soft});
  ASSERT_TRUE(bench.grants("a", {20, 0}));
  bench.settle("a", {20, 0});
  const auto verdict = bench.reserve("b", {20, 0});
  EXPECT_TRUE(verdict.is_granted);
  EXPECT_EQ(verdict.soft_exceeded, std::vector<std::string>{"soft"});
}

TEST(Book, starts_anew_with_each_period_and_keeps_what_is_held) {
  BookBench bench({limit("hourly", Scope::all, "", 100, Period::hour)});
  ASSERT_TRUE(bench.grants("a", {60, 0}));
  bench.settle("a", {60, 0});
  ASSERT_TRUE(bench.grants("b", {40, 0}));
  for (int minute = 0; minute < 30; minute++) {
    bench.advance(std::chrono::seconds(20));
    ASSERT_TRUE(bench.book->renew("b", bench.now));
    bench.advance(std::chrono::seconds(20));
    ASSERT_TRUE(bench.book->renew("b", bench.now));
    bench.advance(std::chrono::seconds(20));
    ASSERT_TRUE(bench.book->renew("b", bench.now));
  }
  EXPECT_EQ(bench.spent("hourly"), 0U);
  EXPECT_TRUE(bench.grants("c", {60, 0}));
  EXPECT_FALSE(bench.grants("d", {1, 0})) << "the call of the last hour will be paid from this one";
  bench.settle("b", {40, 0});
  EXPECT_EQ(bench.spent("hourly"), 40U);
}

TEST(Book, does_not_go_back_to_an_earlier_period_with_the_clock) {
  BookBench bench({limit("hourly", Scope::all, "", 100, Period::hour)});
  bench.advance(std::chrono::minutes(31));
  ASSERT_TRUE(bench.grants("a", {100, 0}));
  bench.settle("a", {100, 0});
  bench.now.wall -= std::chrono::hours(5);
  EXPECT_FALSE(bench.grants("b", {1, 0}));
}

TEST(Book, gives_the_same_answer_to_an_order_that_is_repeated) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  const auto first = bench.reserve("a", {60, 0});
  const auto second = bench.reserve("a", {60, 0});
  EXPECT_EQ(first, second);
  EXPECT_EQ(bench.held("all"), 60U);
}

TEST(Book, reserves_for_no_call_that_has_ended) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  ASSERT_TRUE(bench.grants("a", {60, 0}));
  bench.settle("a", {10, 0});
  EXPECT_EQ(bench.reserve("a", {10, 0}).code, "invalid");
}

TEST(Book, refuses_a_reservation_whose_release_came_first) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  bench.release("a");
  EXPECT_FALSE(bench.grants("a", {10, 0}));
  EXPECT_EQ(bench.held("all"), 0U);
}

TEST(Book, charges_a_settlement_without_a_reservation_and_counts_it) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  bench.settle("a", {150, 0});
  EXPECT_EQ(bench.spent("all"), 150U);
  EXPECT_EQ(bench.book->counts().unreserved, 1U);
}

TEST(Book, caps_the_output_in_the_worst_case_so_that_the_estimate_holds) {
  BookBench bench({limit("all", Scope::all, "", 100'000)});
  EXPECT_EQ(bench.reserve("a", {10, 20}).max_output_tokens, 20U);
  const auto open = bench.reserve("b", {10, kUncapped});
  EXPECT_EQ(open.max_output_tokens, 4096U);
  EXPECT_EQ(open.reserved_tokens, 10U + 4096);
}

TEST(Book, reserves_what_calls_like_it_have_used_lately) {
  budget::BudgetsConfig learned;
  learned.max_output_tokens = 1000;
  BookBench bench({limit("all", Scope::all, "", 1'000'000)}, learned);
  EXPECT_EQ(bench.reserve("first", {10, kUncapped}).reserved_tokens, 1010U);
  for (int i = 0; i < 20; i++) {
    const std::string id = "call" + std::to_string(i);
    ASSERT_TRUE(bench.grants(id, {10, kUncapped}));
    bench.settle(id, {20, 30});
  }
  const auto verdict = bench.reserve("now", {10, kUncapped});
  EXPECT_NEAR(static_cast<double>(verdict.reserved_tokens), 50, 1) << "inputs are twice what is guessed";
  EXPECT_EQ(verdict.max_output_tokens, 0U);
}

TEST(Book, refuses_what_is_malformed) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  EXPECT_EQ(bench.reserve("", {1, 0}).code, "invalid");
  EXPECT_EQ(bench.reserve(std::string(65, 'x'), {1, 0}).code, "invalid");
  bench.agent = std::string(1000, 'x');
  EXPECT_EQ(bench.reserve("a", {1, 0}).code, "invalid");
}

TEST(Book, refuses_more_calls_and_accounts_than_it_has_room_for) {
  BookBench bench({limit("talk", Scope::conversation, "*", 100)}, BookBench::worst_case(),
                  {.max_reservations = 3, .max_accounts = 2});
  EXPECT_TRUE(bench.grants("a", {1, 0}));
  bench.conversation = "c2";
  EXPECT_TRUE(bench.grants("b", {1, 0}));
  bench.conversation = "c3";
  EXPECT_EQ(bench.reserve("c", {1, 0}).code, "overloaded") << "a third account";
  bench.conversation = "c1";
  EXPECT_TRUE(bench.grants("d", {1, 0}));
  EXPECT_EQ(bench.reserve("e", {1, 0}).code, "overloaded") << "a fourth call";
}

TEST(Book, forgets_accounts_of_periods_that_are_over_when_it_needs_room) {
  BookBench bench({limit("talk", Scope::conversation, "*", 100, Period::hour)}, BookBench::worst_case(),
                  {.max_reservations = 100, .max_accounts = 2});
  for (const char* conversation : {"c1", "c2"}) {
    bench.conversation = conversation;
    ASSERT_TRUE(bench.grants(conversation, {1, 0}));
    bench.settle(conversation, {1, 0});
  }
  bench.conversation = "c3";
  EXPECT_FALSE(bench.grants("c", {1, 0}));
  bench.advance(std::chrono::minutes(30));
  EXPECT_TRUE(bench.grants("d", {1, 0}));
  EXPECT_EQ(bench.book->take_changes().dropped_accounts.size(), 2U);
}

TEST(Book, lists_every_budget_however_many_accounts_another_one_has) {
  BookBench bench({limit("all", Scope::all, "", 100'000), limit("talk", Scope::conversation, "*", 1000),
                   limit("unused", Scope::agent, "*", 1000)});
  for (int i = 0; i < 20; i++) {
    bench.conversation = "c" + std::to_string(i);
    ASSERT_TRUE(bench.grants(bench.conversation, {static_cast<std::uint64_t>(10 + i), 1}));
  }
  const auto report = bench.book->report({"", 5}, bench.now);
  std::vector<std::string> names;
  for (const auto& row : report.rows) names.push_back(row.limit.name + ":" + row.subject);
  EXPECT_THAT(names, testing::ElementsAre("all:", "talk:c19", "talk:c18", "talk:c17", "unused:hr/alice"));
  EXPECT_EQ(report.left_out, 17U);
}

// Models that nobody knows.

TEST(UnknownModel, is_refused_where_money_is_limited) {
  BookBench bench({money("fleet", 1000)});
  bench.model = "mystery";
  const auto verdict = bench.reserve("a", {1, 0});
  EXPECT_EQ(verdict.code, "budget_exceeded");
  EXPECT_EQ(verdict.budget, "fleet");
  EXPECT_THAT(verdict.reason, HasSubstr("nobody knows what model 'mystery' costs"));
}

TEST(UnknownModel, may_be_used_where_only_tokens_are_limited_and_is_counted) {
  BookBench bench({limit("all", Scope::all, "", 1000)});
  bench.model = "mystery";
  ASSERT_TRUE(bench.grants("a", {5, 5}));
  bench.settle("a", {5, 5});
  EXPECT_EQ(bench.book->counts().unpriced_tokens, 10U);
}

TEST(UnknownModel, is_charged_like_the_dearest_one_when_the_policy_says_so) {
  budget::BudgetsConfig config = BookBench::worst_case();
  config.unknown_model = budget::UnknownModel::max;
  BookBench bench({money("fleet", 1000)}, config);
  bench.model = "mystery";
  ASSERT_TRUE(bench.grants("a", {5, 5}));
  bench.settle("a", {5, 5});
  EXPECT_EQ(bench.row("fleet").spent_nano_usd, 10 * kNanoPerToken);
}

TEST(UnknownModel, is_never_free_in_silence) {
  budget::BudgetsConfig config = BookBench::worst_case();
  config.unknown_model = budget::UnknownModel::count;
  BookBench bench({money("fleet", 1)}, config);
  bench.model = "mystery";
  ASSERT_TRUE(bench.grants("a", {5, 5}));
  bench.settle("a", {5, 5});
  EXPECT_EQ(bench.row("fleet").spent_nano_usd, 0U);
  EXPECT_EQ(bench.book->counts().unpriced_tokens, 10U);
}

TEST(UnknownModel, has_the_price_that_its_caller_brings) {
  BookBench bench({money("fleet", 1000)});
  bench.model = "mystery";
  auto order = bench.order("a", {5, 5});
  order.price = {true, 3'000'000, 3'000'000, 3'000'000, 3'000'000, {}};
  EXPECT_EQ(bench.book->reserve(order, bench.now).reserved_nano_usd, 30 * kNanoPerToken);
}

TEST(KnownModel, has_the_price_of_the_ledgers_table_whatever_its_caller_says) {
  BookBench bench({money("fleet", 1000)});
  auto order = bench.order("a", {5, 5});
  order.price = {true, 0, 0, 0, 0, {}};
  const auto verdict = bench.book->reserve(order, bench.now);
  EXPECT_EQ(verdict.reserved_nano_usd, 10 * kNanoPerToken);
  EXPECT_EQ(verdict.price.input_pico_usd, 1'000'000U) << "so that answers carry their cost";
}

// What people do.

TEST(BudgetSet, changes_an_amount_and_keeps_what_is_spent) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  ASSERT_TRUE(bench.grants("a", {100, 0}));
  bench.settle("a", {100, 0});
  messages::BudgetSet order{.limit = {.name = "all", .has_tokens = true, .tokens = 150}, .fields = {"tokens"}};
  ASSERT_TRUE(bench.book->set(order, bench.now));
  EXPECT_EQ(bench.spent("all"), 100U);
  EXPECT_TRUE(bench.grants("b", {50, 0}));
  EXPECT_EQ(bench.row("all").origin, "set");
}

TEST(BudgetSet, counts_what_is_held_on_a_limit_that_is_new) {
  BookBench bench({});
  ASSERT_TRUE(bench.grants("a", {60, 0}));
  messages::BudgetSet order{.limit = {.name = "new", .has_tokens = true, .tokens = 100}};
  ASSERT_TRUE(bench.book->set(order, bench.now));
  EXPECT_EQ(bench.held("new"), 60U);
  EXPECT_FALSE(bench.grants("b", {50, 0}));
  bench.settle("a", {60, 0});
  EXPECT_EQ(bench.held("new"), 0U);
}

TEST(BudgetSet, of_the_default_brings_back_what_the_file_says) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  ASSERT_TRUE(
      bench.book->set({.limit = {.name = "all", .has_tokens = true, .tokens = 1}, .fields = {"tokens"}}, bench.now));
  ASSERT_TRUE(bench.book->set({.limit = {.name = "more", .has_tokens = true, .tokens = 1}}, bench.now));
  ASSERT_TRUE(bench.book->set({.limit = {.name = "all"}, .is_default = true}, bench.now));
  ASSERT_TRUE(bench.book->set({.limit = {.name = "more"}, .is_default = true}, bench.now));
  EXPECT_TRUE(bench.grants("a", {100, 0}));
  EXPECT_EQ(bench.book->report({}, bench.now).rows.size(), 1U) << "no file names the other one";
}

TEST(BudgetSet, refuses_what_makes_no_sense) {
  BookBench bench({limit("all", Scope::all, "", 100)});
  const auto code_of = [&](const messages::BudgetSet& order) {
    const Result<> done = bench.book->set(order, bench.now);
    return done ? "ok" : done.error().message;
  };
  EXPECT_THAT(code_of({.limit = {.name = "a b", .has_tokens = true}}), HasSubstr("name: expected"));
  EXPECT_THAT(code_of({.limit = {.name = "x"}}), HasSubstr("expected an amount"));
  EXPECT_THAT(code_of({.limit = {.name = "x", .scope = "agent", .has_tokens = true}}), HasSubstr("subject: expected"));
  EXPECT_THAT(code_of({.limit = {.name = "x", .scope = "team", .subject = "y", .has_tokens = true}}),
              HasSubstr("scope: "));
  EXPECT_THAT(code_of({.limit = {.name = "x"}, .is_default = true}), HasSubstr("no budget 'x'"));
}

TEST(BudgetReset, lets_what_was_spent_count_as_nothing) {
  BookBench bench({limit("talk", Scope::conversation, "*", 100)});
  for (const char* conversation : {"c1", "c2"}) {
    bench.conversation = conversation;
    ASSERT_TRUE(bench.grants(conversation, {100, 0}));
    bench.settle(conversation, {100, 0});
  }
  EXPECT_EQ(bench.book->reset({.name = "talk", .subject = "c1"}, bench.now), 1U);
  EXPECT_EQ(bench.spent("talk", "c1"), 0U);
  EXPECT_EQ(bench.spent("talk", "c2"), 100U);
  EXPECT_EQ(bench.book->reset({.name = "talk"}, bench.now), 2U);
  EXPECT_FALSE(bench.book->reset({.name = "talk", .subject = "nobody"}, bench.now));
  EXPECT_FALSE(bench.book->reset({.name = "nothing"}, bench.now));
}

}  // namespace
}  // namespace parley::ledger
