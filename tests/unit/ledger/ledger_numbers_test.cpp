#include "services/ledger/ledger_numbers.hpp"

#include <algorithm>

#include "tests/unit/ledger/book_fixture.hpp"

namespace parley::ledger {
namespace {

std::optional<double> shown(BookBench& bench, const std::string& name, const std::string& budget) {
  const std::vector<LedgerNumber> numbers = ledger_numbers(*bench.book, bench.now);
  const auto found = std::ranges::find(numbers, name + "{budget=\"" + budget + "\"}", &LedgerNumber::name);
  return found == numbers.end() ? std::nullopt : std::optional(found->value);
}

TEST(LedgerNumbers, tell_when_the_period_of_a_budget_ends_and_nothing_of_one_without) {
  BookBench bench({money("hourly", 1000, budget::Period::hour), money("for-ever", 1000)});
  constexpr const char* kName = "parley_budget_period_end_timestamp_seconds";
  EXPECT_THAT(shown(bench, kName, "hourly"), testing::Optional(1'795'257'000.0 + 1800)) << "at 11:00";
  EXPECT_EQ(shown(bench, kName, "for-ever"), std::nullopt);
  bench.advance(std::chrono::minutes(30));
  EXPECT_THAT(shown(bench, kName, "hourly"), testing::Optional(1'795'257'000.0 + 5400)) << "the next one";
}

}  // namespace
}  // namespace parley::ledger
