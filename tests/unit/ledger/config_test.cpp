// The section `budgets` of a file, and what the ledger takes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/budget/budgets_config.hpp"
#include "agents/host/agents_config.hpp"
#include "services/config/yaml.hpp"
#include "services/ledger/options.hpp"

namespace parley::ledger {
namespace {

using budget::Period;
using budget::Scope;
using testing::HasSubstr;

config::Loaded<LedgerFile> file_of(const std::string& text) {
  return read_ledger_file(*config::parse_yaml(text, "/etc/parley/budgets.yaml"));
}

TEST(BudgetsFile, gives_limits_and_policies) {
  const auto file = file_of(R"(
broker: {endpoint: "tcp://127.0.0.1:7700"}
budgets:
  prices: prices.yaml
  unknown_model: count
  estimate: worst_case
  max_output_tokens: 100
  lease: 10s
  on_ledger_loss: allow_and_count
  ledger_timeout: 1s
  wait_for_held: 0
  limits:
    - {name: fleet, usd: 50, per: day}
    - {name: hr, agent_type: hr, tokens: 2000000, per: hour}
    - {name: alice, agent: hr/alice, usd: 0.000001}
    - {name: talk, conversation: "*", usd: 0.5, tokens: 10}
    - {name: big, model: gpt-4o, usd: 20, per: month, mode: soft}
)");
  ASSERT_TRUE(file) << file.error().str();
  EXPECT_EQ(file->broker, "tcp://127.0.0.1:7700");
  const budget::BudgetsConfig& budgets = file->budgets;
  EXPECT_EQ(budgets.prices, "/etc/parley/prices.yaml");
  EXPECT_EQ(budgets.unknown_model, budget::UnknownModel::count);
  EXPECT_EQ(budgets.estimate, budget::EstimateMode::worst_case);
  EXPECT_EQ(budgets.on_ledger_loss, budget::OnLedgerLoss::allow_and_count);
  EXPECT_EQ(budgets.lease, std::chrono::seconds(10));
  EXPECT_EQ(budgets.wait_for_held, std::chrono::seconds(0));
  ASSERT_EQ(budgets.limits.size(), 5U);
  EXPECT_EQ(budgets.limits[0],
            (budget::Limit{"fleet", Scope::all, "", Period::day, 50'000'000'000, std::nullopt, false}));
  EXPECT_EQ(budgets.limits[1],
            (budget::Limit{"hr", Scope::agent_type, "hr", Period::hour, std::nullopt, 2'000'000, false}));
  EXPECT_EQ(budgets.limits[2].nano_usd, 1000U);
  EXPECT_TRUE(budgets.limits[3].is_for_each());
  EXPECT_TRUE(budgets.limits[4].is_soft);
}

TEST(BudgetsFile, tells_everything_that_is_wrong_with_it) {
  const auto file = file_of(R"(
budgets:
  limits:
    - {name: a b, usd: 1}
    - {name: none}
    - {name: two, agent: x/y, model: gpt, usd: 1}
    - {name: twice, usd: 1}
    - {name: twice, usd: 1}
    - {usd: -1}
    - {name: when, usd: 1, per: week}
  unknown_model: free
  lease: 1ms
  typo: 1
more: 1
)");
  ASSERT_FALSE(file);
  for (const char* part :
       {"budgets.limits[0]: name: expected letters", "budgets.limits[1]: expected an amount", "budgets.limits[2].model",
        "budgets.limits[4].name: 'twice'", "budgets.limits[5].name: expected a text", "budgets.limits[5].usd: '-1'",
        "budgets.limits[6].per: 'week'", "budgets.unknown_model: 'free'", "budgets.lease: '1ms'",
        "budgets.typo: unknown key", "more: unknown key"}) {
    EXPECT_THAT(file.error().str(), HasSubstr(part));
  }
}

TEST(BudgetsFile, may_be_a_suite_whose_rest_is_for_others) {
  EXPECT_TRUE(file_of("budgets: {limits: [{name: a, usd: 1}]}\nworkers: [{nonsense: 1}]\n"));
  EXPECT_FALSE(file_of("workers: []\n")) << "a ledger without budgets would allow everything";
}

constexpr std::string_view kSuite = R"(
models: {off: {provider: offline}}
budgets: {limits: [{name: fleet, usd: 1}], on_ledger_loss: allow_and_count}
workers:
  - name: one
    agents: [{type: hr, kind: assistant, model: off, system_prompt: Be kind.}]
)";

TEST(SuiteBudgets, are_those_of_each_worker) {
  const auto suite = host::read_suite(*config::parse_yaml(kSuite, "suite.yaml"));
  ASSERT_TRUE(suite) << suite.error().str();
  ASSERT_TRUE(suite->budgets);
  EXPECT_EQ(suite->budgets->limits.size(), 1U);
  ASSERT_TRUE(suite->workers.at(0).config.budgets);
  EXPECT_EQ(suite->workers[0].config.budgets->on_ledger_loss, budget::OnLedgerLoss::allow_and_count);
}

TEST(SuiteBudgets, keep_the_name_of_the_ledger_for_the_ledger) {
  std::string text(kSuite);
  text.replace(text.find("name: one"), 9, "name: ledger");
  const auto suite = host::read_suite(*config::parse_yaml(text, "suite.yaml"));
  ASSERT_FALSE(suite);
  EXPECT_THAT(suite.error().str(), HasSubstr("expected a name that is free"));
}

}  // namespace
}  // namespace parley::ledger
