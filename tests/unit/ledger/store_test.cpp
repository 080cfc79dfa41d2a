// The book on disk, and book and disk together.
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "services/ledger/calendar.hpp"
#include "services/ledger/ledger_service.hpp"
#include "services/ledger/sqlite_store.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/ledger/book_fixture.hpp"

namespace parley::ledger {
namespace {

using budget::Scope;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct Store : testing::Test {
  test::TemporaryFolder folder;
  std::unique_ptr<SqliteStore> store = open();

  std::unique_ptr<SqliteStore> open() {
    auto opened = SqliteStore::open(folder.path());
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  void reopen() {
    store.reset();
    store = open();
  }
  static Account account(std::string limit, std::uint64_t tokens) {
    return {std::move(limit), "c1", "kind", wall_from_ms(1000), wall_from_ms(2000), {5, tokens}, 3};
  }
  static Reservation reservation(std::string id) {
    return {std::move(id), {"hr/alice", "c1", "gpt"}, {70, 80}, 30, 20, true, wall_from_ms(4000)};
  }
  static ClosedCall closed(std::string id, Ending ending = Ending::settled) {
    return {std::move(id), ending, wall_from_ms(5000), {"hr/alice", "c1", "gpt"}, {7, 8}, 2, 3, 5};
  }
};

TEST_F(Store, gives_back_what_was_committed) {
  budget::Limit limit = ledger::limit("set", Scope::conversation, "*", 100, budget::Period::day);
  limit.is_soft = true;
  BookChanges changes{{account("a", 10)}, {}, {reservation("r1"), reservation("r2")}, {closed("c")}, {limit}, {}};
  ASSERT_TRUE(store->commit(changes));
  reopen();
  const Result<StoredBook> book = store->load();
  ASSERT_TRUE(book) << book.error().message;
  EXPECT_EQ(book->accounts, changes.accounts);
  EXPECT_THAT(book->reservations, UnorderedElementsAre(reservation("r1"), reservation("r2")));
  EXPECT_EQ(book->set_limits, changes.set_limits);
  EXPECT_EQ(book->recent, changes.closed);
}

TEST_F(Store, replaces_and_removes) {
  ASSERT_TRUE(store->commit({{account("a", 10), account("b", 10)}, {}, {reservation("r")}, {}, {money("m", 1)}, {}}));
  ASSERT_TRUE(store->commit({{account("a", 20)}, {{"b", "c1"}}, {}, {closed("r")}, {}, {"m"}}));
  const Result<StoredBook> book = store->load();
  ASSERT_TRUE(book);
  EXPECT_EQ(book->accounts, std::vector<Account>{account("a", 20)});
  EXPECT_TRUE(book->reservations.empty());
  EXPECT_TRUE(book->set_limits.empty());
}

TEST_F(Store, remembers_how_calls_ended_until_it_is_told_to_forget) {
  ASSERT_TRUE(store->commit({{}, {}, {}, {closed("a"), closed("b", Ending::expired)}, {}, {}}));
  const std::vector<std::string> ids{"a", "b", "c"};
  const auto found = store->find_closed(ids);
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, UnorderedElementsAre(closed("a"), closed("b", Ending::expired)));
  ASSERT_TRUE(store->forget_closed_before(wall_from_ms(5001)));
  EXPECT_TRUE(store->find_closed(ids)->empty());
}

TEST_F(Store, keeps_what_a_killed_process_had_committed) {
  ASSERT_TRUE(store->commit({{account("a", 10)}, {}, {}, {}, {}, {}}));
  // A copy of the files as they are now is what a killed process leaves.
  const test::TemporaryFolder copy;
  std::filesystem::copy(folder.path(), copy.path(), std::filesystem::copy_options::recursive);
  const auto other = SqliteStore::open(copy.path());
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ((*other)->load()->accounts, std::vector<Account>{account("a", 10)});
}

TEST_F(Store, is_for_one_ledger_at_a_time) {
  const auto second = SqliteStore::open(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(second.error().message, HasSubstr("another ledger uses it"));
}

TEST_F(Store, refuses_files_that_are_none_of_its_own) {
  const test::TemporaryFolder other;
  std::ofstream(other.path() / "ledger.db") << std::string(4096, 'x');
  const auto garbage = SqliteStore::open(other.path());
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().code, ErrorCode::bad_configuration);
  EXPECT_FALSE(SqliteStore::open("/proc/nowhere"));
}

// Book and disk.

struct Service : Store {
  ManualClock clock;
  budget::BudgetsConfig config = BookBench::worst_case();
  std::unique_ptr<LedgerService> service;

  void start() {
    service.reset();
    store.reset();
    auto made = LedgerService::make(config, prices(), open(), clock);
    ASSERT_TRUE(made) << made.error().message;
    service = std::move(*made);
  }
  static messages::BudgetReserve order(std::string id, std::uint64_t tokens) {
    messages::BudgetReserve made;
    made.id = std::move(id);
    made.agent = "hr/alice";
    made.conversation = "c1";
    made.model = "gpt";
    made.max_input_tokens = tokens - 1;
    made.max_output_tokens = 1;
    return made;
  }
  static messages::BudgetSettle settle(std::string id, std::uint64_t tokens) {
    messages::BudgetSettle made;
    made.id = std::move(id);
    made.agent = "hr/alice";
    made.conversation = "c1";
    made.model = "gpt";
    made.usage.input_tokens = tokens;
    return made;
  }
  messages::BudgetRow row(const std::string& name) { return service->list({name, 0})->rows.at(0); }
};

TEST_F(Service, answers_only_what_survives_a_restart) {
  config.limits = {limit("all", Scope::all, "", 1000)};
  start();
  const auto verdicts = service->take({.reserve = {order("a", 100), order("b", 200), order("c", 800)}});
  ASSERT_TRUE(verdicts);
  EXPECT_TRUE(verdicts->reserve[0].is_granted);
  EXPECT_TRUE(verdicts->reserve[1].is_granted);
  EXPECT_FALSE(verdicts->reserve[2].is_granted);
  EXPECT_EQ(verdicts->lease_ms, 30'000U);
  ASSERT_TRUE(service->take({.settle = {settle("a", 50)}}));
  start();
  EXPECT_EQ(row("all").spent_tokens, 50U);
  EXPECT_EQ(row("all").reserved_tokens, 200U);
}

TEST_F(Service, records_a_settlement_once_though_it_is_told_before_and_after_a_restart) {
  config.limits = {limit("all", Scope::all, "", 1000)};
  start();
  ASSERT_TRUE(service->take({.reserve = {order("a", 100)}}));
  ASSERT_TRUE(service->take({.settle = {settle("a", 50)}}));
  start();
  ASSERT_TRUE(service->take({.settle = {settle("a", 50)}})) << "its answer was lost";
  EXPECT_EQ(row("all").spent_tokens, 50U);
}

TEST_F(Service, charges_a_call_of_before_a_restart_when_its_lease_ends_after_it) {
  config.limits = {limit("all", Scope::all, "", 1000)};
  start();
  ASSERT_TRUE(service->take({.reserve = {order("a", 100)}}));
  clock.advance(std::chrono::hours(1));
  start();
  ASSERT_TRUE(service->tick());
  EXPECT_EQ(row("all").reserved_tokens, 100U) << "it gets time to report";
  clock.advance(config.lease);
  ASSERT_TRUE(service->tick());
  EXPECT_EQ(row("all").spent_tokens, 100U);
  ASSERT_TRUE(service->take({.settle = {settle("a", 30)}}));
  EXPECT_EQ(row("all").spent_tokens, 30U) << "and what it says counts";
}

TEST_F(Service, keeps_limits_that_people_have_set) {
  config.limits = {limit("all", Scope::all, "", 1000)};
  start();
  ASSERT_TRUE(service->set({.limit = {.name = "all", .has_tokens = true, .tokens = 7}, .fields = {"tokens"}}));
  ASSERT_TRUE(
      service->set({.limit = {.name = "more", .scope = "agent", .subject = "*", .has_tokens = true, .tokens = 5}}));
  start();
  EXPECT_EQ(row("all").limit.tokens, 7U);
  EXPECT_EQ(row("more").limit.subject, "*");
  ASSERT_TRUE(service->set({.limit = {.name = "all"}, .is_default = true}));
  start();
  EXPECT_EQ(row("all").limit.tokens, 1000U);
}

TEST_F(Service, forgets_spend_of_a_limit_that_means_something_else_now) {
  config.limits = {limit("x", Scope::all, "", 1000)};
  start();
  ASSERT_TRUE(service->take({.settle = {settle("a", 50)}}));
  config.limits = {limit("x", Scope::agent_type, "hr", 1000)};
  start();
  EXPECT_EQ(row("x").spent_tokens, 0U);
}

TEST_F(Service, learns_from_what_an_earlier_run_has_seen) {
  config.estimate = budget::EstimateMode::learned;
  config.limits = {limit("all", Scope::all, "", 1'000'000)};
  start();
  for (int i = 0; i < 10; i++) {
    auto spent = settle("a" + std::to_string(i), 10);
    spent.usage.output_tokens = 33;
    ASSERT_TRUE(service->take({.settle = {spent}}));
  }
  start();
  auto next = order("b", 1);
  next.max_output_tokens = 0;
  EXPECT_EQ(service->take({.reserve = {next}})->reserve[0].reserved_tokens, 33U);
}

/// Counts what it is given, and fails when it is told to.
class CountingStore final : public LedgerStore {
 public:
  Result<StoredBook> load() override { return StoredBook{}; }
  Result<std::vector<ClosedCall>> find_closed(std::span<const std::string>) override {
    return std::vector<ClosedCall>{};
  }
  Result<> commit(const BookChanges&) override {
    commits++;
    if (is_full) return fail(ErrorCode::upstream_failed, "the disk is full");
    return {};
  }
  Result<> forget_closed_before(WallTime) override { return {}; }
  int commits = 0;
  bool is_full = false;
};

struct Batches : testing::Test {
  Batches() {
    budget::BudgetsConfig config;
    config.limits = {limit("all", Scope::all, "", 1'000'000'000)};
    auto owned = std::make_unique<CountingStore>();
    store = owned.get();
    service = std::move(*LedgerService::make(config, prices(), std::move(owned), clock));
  }
  ManualClock clock;
  CountingStore* store = nullptr;
  std::unique_ptr<LedgerService> service;
};

// LiteLLM #13546, #21046: a database round trip for each request.
TEST_F(Batches, of_any_size_are_written_in_one_commit) {
  messages::BudgetOrders orders;
  for (int i = 0; i < 256; i++) orders.reserve.push_back(Service::order("r" + std::to_string(i), 2));
  for (int i = 0; i < 256; i++) orders.settle.push_back(Service::settle("s" + std::to_string(i), 2));
  ASSERT_TRUE(service->take(orders));
  EXPECT_EQ(store->commits, 1);
}

TEST_F(Batches, that_change_nothing_are_not_written) {
  ASSERT_TRUE(service->take({.renew = {"a", "b"}}));
  ASSERT_TRUE(service->tick());
  EXPECT_EQ(store->commits, 0);
}

TEST_F(Batches, that_cannot_be_written_are_not_answered_and_nothing_is_answered_after_them) {
  store->is_full = true;
  EXPECT_FALSE(service->take({.reserve = {Service::order("a", 2)}}));
  store->is_full = false;
  EXPECT_FALSE(service->take({.reserve = {Service::order("b", 2)}})) << "nobody knows what is stored";
  EXPECT_FALSE(service->tick());
  EXPECT_EQ(service->broken(), "the disk is full");
}

}  // namespace
}  // namespace parley::ledger
