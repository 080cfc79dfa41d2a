#include "services/cli/budget_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::cli {
namespace {

using testing::HasSubstr;

messages::BudgetRow row() {
  messages::BudgetRow made;
  made.limit.name = "desk";
  made.limit.scope = "agent_type";
  made.limit.subject = "hr";
  made.limit.per = "day";
  made.limit.has_usd = true;
  made.limit.nano_usd = 5'000'000'000;
  made.spent_nano_usd = 4'000'000'000;
  made.reserved_nano_usd = 500'000'000;
  made.refused = 3;
  made.reset_ms = 3'600'000;
  return made;
}

TEST(BudgetAmount, in_dollars_is_read_exactly) {
  EXPECT_EQ(parse_usd("5"), 5'000'000'000U);
  EXPECT_EQ(parse_usd("0.25"), 250'000'000U);
  EXPECT_EQ(parse_usd("0.000000001"), 1U);
  EXPECT_EQ(parse_usd("0"), 0U);
  for (const char* wrong : {"", ".", "5.", ".5", "-1", "1e3", "$5", "0.0000000001", "1000000001"}) {
    EXPECT_FALSE(parse_usd(wrong)) << wrong;
  }
}

TEST(BudgetAmount, in_tokens_has_units) {
  EXPECT_EQ(parse_token_count("1500"), 1500U);
  EXPECT_EQ(parse_token_count("20k"), 20'000U);
  EXPECT_EQ(parse_token_count("1.5M"), 1'500'000U);
  EXPECT_EQ(parse_token_count("2G"), 2'000'000'000U);
  EXPECT_EQ(parse_token_count("20000000"), 20'000'000U);
  for (const char* wrong : {"", "k", "1.5", "20K", "1.2345k", "-1"}) EXPECT_FALSE(parse_token_count(wrong)) << wrong;
}

TEST(BudgetTable, shows_limit_spent_reserved_left_and_when_it_resets) {
  const auto lines = render_budgets({.rows = {row()}}, WallTime(), 200);
  ASSERT_EQ(lines.size(), 2U);
  for (const char* part : {"desk", "type hr", "day", "$5.00", "$4.00", "$0.50", "1h00m", "3"}) {
    EXPECT_THAT(lines[1], HasSubstr(part));
  }
}

TEST(BudgetTable, tells_soft_budgets_apart_and_fits_a_terminal) {
  messages::BudgetRow soft = row();
  EXPECT_THAT(render_budgets({.rows = {soft}}, WallTime(), 80)[1], HasSubstr("type hr"));
  soft.limit.is_soft = true;
  EXPECT_THAT(render_budgets({.rows = {soft}}, WallTime(), 200)[1], HasSubstr("day, soft"));
}

TEST(BudgetTable, says_whose_account_of_a_budget_for_each_it_is) {
  messages::BudgetRow each = row();
  each.limit.scope = "conversation";
  each.limit.subject = "*";
  EXPECT_THAT(render_budgets({.rows = {each}}, WallTime(), 200)[1], HasSubstr("each conversation"));
  each.subject = "alice";
  EXPECT_THAT(render_budgets({.rows = {each}}, WallTime(), 200)[1], HasSubstr("conversation alice"));
}

TEST(BudgetTable, shows_both_measures_and_never_less_than_nothing_left) {
  messages::BudgetRow both = row();
  both.limit.has_tokens = true;
  both.limit.tokens = 1000;
  both.spent_tokens = 1200;
  both.reset_ms = 0;
  const std::string line = render_budgets({.rows = {both}}, WallTime(), 200)[1];
  EXPECT_THAT(line, HasSubstr("$5.00 / 1000 tok"));
  EXPECT_THAT(line, HasSubstr("$0.50 / 0 tok"));
  EXPECT_THAT(line, HasSubstr("never"));
}

TEST(BudgetJson, has_dollars_for_people_and_the_exact_sum_for_programs) {
  const nlohmann::json value = to_json(row());
  EXPECT_EQ(value["limit_usd"], 5.0);
  EXPECT_EQ(value["spent_nano_usd"], 4'000'000'000U);
  EXPECT_EQ(value["subject"], "hr");
  EXPECT_FALSE(value.contains("limit_tokens"));
}

}  // namespace
}  // namespace parley::cli
