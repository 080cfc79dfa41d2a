#include "agents/budget/budgeted_model.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agents/llm/anthropic_model.hpp"
#include "agents/llm/pause.hpp"
#include "libmsg/messages/budget_refusal.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/stub_model_server.hpp"
#include "tests/unit/agents/scripted_model.hpp"

namespace parley::budget {
namespace {

using llm::ChatRequest;
using llm::Completion;
using messages::BudgetVerdict;
using testing::ElementsAre;
using testing::IsEmpty;

/// Says what a test tells it, and remembers what it was told.
class FakeLedger final : public Ledger {
 public:
  std::string next_id() override { return "call" + std::to_string(++last_id); }
  Task<Result<BudgetVerdict>> reserve(messages::BudgetReserve order, std::optional<TimePoint> /*deadline*/) override {
    reserved.push_back(order);
    if (!answers.empty()) {
      Result<BudgetVerdict> next = std::move(answers.front());
      answers.pop_front();
      co_return next;
    }
    BudgetVerdict verdict = granted();
    if (is_worst_case) verdict.max_output_tokens = order.max_output_tokens;
    co_return verdict;
  }
  void settle(messages::BudgetSettle order) override { settled.push_back(std::move(order)); }
  void release(std::string id) override { released.push_back(std::move(id)); }

  static BudgetVerdict granted() {
    BudgetVerdict verdict;
    verdict.is_granted = true;
    verdict.price = {true, 1'000'000, 1'000'000, 1'000'000, 1'000'000, {}};
    return verdict;
  }
  static BudgetVerdict refused(std::string reason, bool is_held = false) {
    BudgetVerdict verdict;
    verdict.code = "budget_exceeded";
    verdict.reason = std::move(reason);
    verdict.is_held = is_held;
    return verdict;
  }

  int last_id = 0;
  bool is_worst_case = false;  ///< caps a call's output at what it has reserved
  std::deque<Result<BudgetVerdict>> answers;
  std::vector<messages::BudgetReserve> reserved;
  std::vector<messages::BudgetSettle> settled;
  std::vector<std::string> released;
};

/// Streams something and then never ends.
class EndlessModel final : public llm::ChatModel {
 public:
  Task<std::expected<Completion, llm::ModelError>> complete(ChatRequest, llm::ChunkSink on_chunk) override {
    if (on_chunk) static_cast<void>(co_await on_chunk("twelve bytes"));
    has_begun = true;
    static_cast<void>(co_await llm::pause(std::chrono::hours(1)));
    co_return std::unexpected(llm::ModelError{.error = {ErrorCode::cancelled, "cancelled"}});
  }
  bool has_begun = false;
};

class ThrowingModel final : public llm::ChatModel {
 public:
  Task<std::expected<Completion, llm::ModelError>> complete(ChatRequest, llm::ChunkSink) override {
    throw std::runtime_error("a mistake");
    co_return std::unexpected(llm::ModelError{});
  }
};

struct Budgeted : testing::Test {
  Budgeted() { options.agent_type = "hr"; }

  std::shared_ptr<BudgetedModel> model_over(std::shared_ptr<llm::ChatModel> under) {
    return std::make_shared<BudgetedModel>(std::move(under), ledger, options, clock, random, nullptr);
  }
  std::expected<Completion, llm::ModelError> ask(ChatRequest request = {}) {
    return test::run_task(io, model_over(inner)->complete(std::move(request), {}));
  }

  asio::io_context io;
  SystemClock clock;
  SeededRandom random{1};
  std::shared_ptr<FakeLedger> ledger = std::make_shared<FakeLedger>();
  std::shared_ptr<test::ScriptedModel> inner = std::make_shared<test::ScriptedModel>();
  BudgetedOptions options{"hr", "gpt", llm::ModelPrice{1'000'000, 1'000'000, 1'000'000}, OnLedgerLoss::refuse,
                          std::chrono::milliseconds(0)};
};

TEST_F(Budgeted, asks_before_a_call_and_tells_afterwards_what_it_has_cost) {
  inner->will_answer("hello");
  ChatRequest request;
  request.messages = {{llm::Role::user, "twelve bytes"}};
  request.max_tokens = 50;
  request.caller = {"hr/alice", "talk-1"};
  const auto outcome = ask(request);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->usage.cost_nano_usd, 15'000U) << "so that answers carry their cost";
  ASSERT_EQ(ledger->reserved.size(), 1U);
  const messages::BudgetReserve& order = ledger->reserved[0];
  EXPECT_EQ(order.agent, "hr/alice");
  EXPECT_EQ(order.conversation, "talk-1");
  EXPECT_EQ(order.model, "gpt");
  EXPECT_EQ(order.input_tokens, 7U);
  EXPECT_GE(order.max_input_tokens, 12U);
  EXPECT_EQ(order.max_output_tokens, 50U);
  EXPECT_TRUE(order.price.is_known);
  ASSERT_EQ(ledger->settled.size(), 1U);
  EXPECT_EQ(ledger->settled[0].id, order.id);
  EXPECT_EQ(ledger->settled[0].usage.input_tokens, 10U);
  EXPECT_THAT(ledger->released, IsEmpty());
}

TEST_F(Budgeted, makes_no_call_that_is_refused_and_passes_the_reason_on) {
  ledger->answers.emplace_back(FakeLedger::refused("budget 'x' has no room"));
  const auto outcome = ask();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error, Error(ErrorCode::budget_exceeded, "budget 'x' has no room"));
  EXPECT_THAT(inner->requests, IsEmpty());
  EXPECT_THAT(ledger->settled, IsEmpty());
}

// [P-BUD-6]
TEST_F(Budgeted, tells_programs_which_budget_of_whom_refused_how_much_it_allows_and_when_it_resets) {
  BudgetVerdict verdict = FakeLedger::refused("no room");
  verdict.budget = "desk";
  verdict.scope = "agent_type";
  verdict.subject = "hr";
  verdict.per = "day";
  verdict.has_tokens = true;
  verdict.limit_tokens = 100;
  verdict.spent_tokens = 99;
  verdict.reset_ms = 86'400'000;
  ledger->answers.emplace_back(verdict);
  const auto outcome = ask();
  ASSERT_FALSE(outcome);
  const messages::BudgetRefusal told{
      "desk", "agent_type", "hr", "day", std::nullopt, 100, 0, 99, WallTime(std::chrono::days(1))};
  EXPECT_EQ(messages::budget_refusal(outcome.error().error), told);
}

TEST_F(Budgeted, tells_of_no_budget_when_the_ledger_refuses_for_another_reason) {
  BudgetVerdict verdict = FakeLedger::refused("full");
  verdict.code = "overloaded";
  ledger->answers.emplace_back(verdict);
  const auto outcome = ask();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error, Error(ErrorCode::overloaded, "full"));
}

// LiteLLM fails open without its database.
TEST_F(Budgeted, makes_no_call_without_a_ledger) {
  ledger->answers.emplace_back(fail(ErrorCode::unreachable, "no ledger"));
  const auto outcome = ask();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::unreachable);
  EXPECT_TRUE(outcome.error().error.retryable);
  EXPECT_THAT(inner->requests, IsEmpty());
}

TEST_F(Budgeted, makes_the_call_without_a_ledger_where_that_is_allowed_and_reports_it_later) {
  options.on_ledger_loss = OnLedgerLoss::allow_and_count;
  ledger->answers.emplace_back(fail(ErrorCode::unreachable, "no ledger"));
  inner->will_answer("hello");
  ASSERT_TRUE(ask());
  ASSERT_EQ(ledger->settled.size(), 1U);
  EXPECT_NE(ledger->settled[0].id, ledger->reserved[0].id) << "that one was taken back";
}

TEST_F(Budgeted, waits_while_others_hold_what_it_needs) {
  options.wait_for_held = std::chrono::milliseconds(10'000);
  ledger->answers.emplace_back(FakeLedger::refused("held", true));
  inner->will_answer("hello");
  ASSERT_TRUE(ask());
  ASSERT_EQ(ledger->reserved.size(), 2U);
  EXPECT_EQ(ledger->reserved[0].id, ledger->reserved[1].id);
}

TEST_F(Budgeted, does_not_wait_longer_than_it_may) {
  for (int i = 0; i < 3; i++) ledger->answers.emplace_back(FakeLedger::refused("held", true));
  EXPECT_FALSE(ask());
  EXPECT_EQ(ledger->reserved.size(), 1U);
  options.wait_for_held = std::chrono::milliseconds(10'000);
  ChatRequest request;
  request.deadline = clock.now();
  EXPECT_FALSE(ask(request)) << "nobody would get the answer";
  EXPECT_EQ(ledger->reserved.size(), 2U);
}

TEST_F(Budgeted, limits_the_output_as_the_ledger_says) {
  BudgetVerdict capped = FakeLedger::granted();
  capped.max_output_tokens = 30;
  for (int i = 0; i < 3; i++) {
    ledger->answers.emplace_back(capped);
    inner->will_answer("hello");
  }
  ChatRequest request;
  ASSERT_TRUE(ask(request));
  request.max_tokens = 20;
  ASSERT_TRUE(ask(request));
  request.max_tokens = 40;
  ASSERT_TRUE(ask(request));
  EXPECT_EQ(inner->requests[0].max_tokens, 30U);
  EXPECT_EQ(inner->requests[1].max_tokens, 20U);
  EXPECT_EQ(inner->requests[2].max_tokens, 30U);
}

/// A model of Anthropic's that thinks, at the stub server.
struct BudgetedThinker : Budgeted {
  BudgetedThinker() {
    provider.http = {.base_url = server.base_url(), .key_variable = ""};
    provider.model = "gpt";
    provider.max_tokens = 1000;
    provider.thinking_tokens = 2000;
    options.output = {provider.max_tokens, provider.thinking_tokens};
    ledger->is_worst_case = true;
  }
  /// What the provider was asked for at most.
  std::uint64_t sent_max_tokens(ChatRequest request) {
    request.messages = {{llm::Role::user, "Hi"}};
    auto model = model_over(llm::make_anthropic_model(provider, http::CurlMulti::make(io), clock, random).value());
    EXPECT_TRUE(test::run_task(io, model->complete(std::move(request), {})));
    return nlohmann::json::parse(server.requests().back().body).at("max_tokens");
  }
  test::StubModelServer server{io};
  llm::AnthropicOptions provider;
};

TEST_F(BudgetedThinker, is_reserved_for_with_what_it_thinks) {
  EXPECT_EQ(sent_max_tokens({}), 3000U);
  EXPECT_EQ(ledger->reserved[0].max_output_tokens, 3000U);
  ChatRequest request;
  request.max_tokens = 50;
  EXPECT_EQ(sent_max_tokens(request), 2050U);
  EXPECT_EQ(ledger->reserved[1].max_output_tokens, 2050U);
}

TEST_F(BudgetedThinker, never_asks_for_more_than_the_ledger_grants) {
  BudgetVerdict capped = FakeLedger::granted();
  capped.max_output_tokens = 2100;
  ledger->answers.emplace_back(capped);
  EXPECT_EQ(sent_max_tokens({}), 2100U);
  capped.max_output_tokens = 2000;
  ledger->answers.emplace_back(capped);
  const auto outcome = test::run_task(io, model_over(inner)->complete({}, {}));
  ASSERT_FALSE(outcome) << "nothing is left for an answer";
  EXPECT_EQ(outcome.error().error.code, ErrorCode::budget_exceeded);
  EXPECT_THAT(ledger->released, ElementsAre("call2"));
}

TEST_F(Budgeted, takes_the_reservation_back_when_the_provider_did_no_work) {
  for (const ErrorCode code : {ErrorCode::unreachable, ErrorCode::unauthorized, ErrorCode::overloaded,
                               ErrorCode::invalid, ErrorCode::budget_exceeded}) {
    inner->will_fail(code, "no");
    EXPECT_FALSE(ask());
  }
  EXPECT_EQ(ledger->released.size(), 5U);
  EXPECT_THAT(ledger->settled, IsEmpty());
}

TEST_F(Budgeted, charges_an_estimate_when_a_call_broke_off) {
  for (const ErrorCode code : {ErrorCode::timeout, ErrorCode::upstream_failed, ErrorCode::cancelled}) {
    inner->will_fail(code, "broke off");
    ChatRequest request;
    request.messages = {{llm::Role::user, "twelve bytes"}};
    EXPECT_FALSE(ask(request));
  }
  ASSERT_EQ(ledger->settled.size(), 3U);
  for (const auto& settle : ledger->settled) {
    EXPECT_EQ(settle.usage.input_tokens, 7U);
    EXPECT_TRUE(settle.usage.is_estimated);
  }
}

TEST_F(Budgeted, settles_what_was_streamed_when_the_coroutine_is_cancelled) {
  using asio::experimental::awaitable_operators::operator||;
  const auto endless = std::make_shared<EndlessModel>();
  const auto model = model_over(endless);
  const auto race = [&]() -> Task<bool> {
    llm::ChunkSink sink = [](std::string_view) -> Task<Result<>> { co_return Result<>{}; };
    ChatRequest request;
    static_cast<void>(
        co_await (model->complete(std::move(request), std::move(sink)) || llm::pause(std::chrono::milliseconds(1))));
    co_return true;
  };
  test::run_task(io, race());
  ASSERT_TRUE(endless->has_begun);
  ASSERT_EQ(ledger->settled.size(), 1U);
  EXPECT_EQ(ledger->settled[0].usage.output_tokens, 3U);
  EXPECT_TRUE(ledger->settled[0].usage.is_estimated);
}

TEST_F(Budgeted, settles_when_the_model_throws) {
  const auto model = model_over(std::make_shared<ThrowingModel>());
  EXPECT_THROW((void)test::run_task(io, model->complete({}, {})), std::runtime_error);
  EXPECT_EQ(ledger->settled.size(), 1U);
}

TEST_F(Budgeted, has_the_price_that_the_ledger_uses) {
  BudgetVerdict verdict = FakeLedger::granted();
  verdict.price = {true, 2'000'000, 2'000'000, 2'000'000, 2'000'000, {}};
  ledger->answers.emplace_back(verdict);
  inner->will_answer("hello");
  EXPECT_EQ(ask()->usage.cost_nano_usd, 30'000U);
}

}  // namespace
}  // namespace parley::budget
