// The decorators around a model that answers what it is told: retries, circuit breaker, limit of calls, cache, chain.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/llm/breaker_model.hpp"
#include "agents/llm/cached_model.hpp"
#include "agents/llm/fallback_model.hpp"
#include "agents/llm/limited_model.hpp"
#include "agents/llm/priced_model.hpp"
#include "agents/llm/retrying_model.hpp"
#include "tests/support/run_task.hpp"
#include "tests/unit/llm/fake_model.hpp"

namespace parley::llm {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class GuardsTest : public testing::Test {
 protected:
  Outcome complete(ChatModel& model, ChatRequest request = request_of("Hi")) {
    return test::run_task(io_, model.complete(std::move(request), {}));
  }
  Outcome stream(ChatModel& model) {
    return test::run_task(io_, model.complete(request_of("Hi"), [this](std::string_view piece) -> Task<Result<>> {
      pieces_.emplace_back(piece);
      co_return Result<>{};
    }));
  }

  asio::io_context io_;
  SystemClock clock_;
  SeededRandom random_{1};
  std::shared_ptr<FakeModel> inner_ = std::make_shared<FakeModel>();
  std::shared_ptr<NotingObserver> observer_ = std::make_shared<NotingObserver>();
  std::vector<std::string> pieces_;
};

class RetryingModelTest : public GuardsTest {
 protected:
  RetryingModelTest() { options_.retry.first_backoff = options_.retry.max_backoff = 1ms; }

  RetryingOptions options_;
};

TEST_F(RetryingModelTest, adds_what_broken_attempts_have_cost) {
  ModelError broken = failure_of(ErrorCode::upstream_failed);
  broken.usage = messages::Usage{.model = "fake", .input_tokens = 10, .output_tokens = 2, .is_estimated = true};
  inner_->will(std::unexpected(broken));
  inner_->will(answer_of("ok"));
  RetryingModel model(inner_, options_, clock_, random_);
  const Outcome outcome = complete(model);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->usage.input_tokens, 20U);
  EXPECT_EQ(outcome->usage.output_tokens, 7U);
  EXPECT_TRUE(outcome->usage.is_estimated);
  EXPECT_THAT(outcome->failed_attempts, ElementsAre(ErrorCode::upstream_failed));
}

TEST_F(RetryingModelTest, does_not_repeat_what_somebody_has_seen) {
  inner_->is_streaming_before_failure = true;
  inner_->will(std::unexpected(failure_of(ErrorCode::upstream_failed)));
  RetryingModel model(inner_, options_, clock_, random_);
  EXPECT_FALSE(stream(model));
  EXPECT_THAT(inner_->requests, SizeIs(1));
}

TEST_F(RetryingModelTest, does_not_wait_behind_its_own_limit) {
  options_.timeout = 1ms;
  options_.retry.first_backoff = options_.retry.max_backoff = 1h;
  inner_->will(std::unexpected(failure_of(ErrorCode::upstream_failed)));
  RetryingModel model(inner_, options_, clock_, random_);
  EXPECT_FALSE(complete(model));
  ASSERT_THAT(inner_->requests, SizeIs(1));
  EXPECT_TRUE(inner_->requests[0].deadline);
}

TEST_F(GuardsTest, say_what_a_call_has_cost_also_if_it_failed) {
  ModelError broken = failure_of(ErrorCode::upstream_failed);
  broken.usage = messages::Usage{.model = "fake", .input_tokens = 10};
  inner_->will(answer_of("ok"));
  inner_->will(std::unexpected(broken));
  PricedModel model(inner_, "main", ModelPrice{.input_pico_usd = 1000, .output_pico_usd = 2000});
  EXPECT_EQ(complete(model)->usage.cost_nano_usd, 20U);
  EXPECT_EQ(complete(model).error().usage->cost_nano_usd, 10U);
}

TEST_F(GuardsTest, do_not_price_a_request_for_another_model) {
  inner_->will(answer_of("ok"));
  PricedModel model(inner_, "main", ModelPrice{.input_pico_usd = 1000});
  ChatRequest request = request_of("Hi");
  request.model = "other";
  EXPECT_EQ(complete(model, request)->usage.cost_nano_usd, 0U);
  request.model = "main";
  EXPECT_EQ(complete(model, request)->usage.cost_nano_usd, 10U);
}

class BreakerModelTest : public GuardsTest {
 protected:
  BreakerModel model_{inner_, "main", {.failures = 2, .open_for = 1h, .max_open_for = 1h}, observer_, clock_};
};

TEST_F(BreakerModelTest, refuses_calls_at_once_while_the_circuit_is_open) {
  inner_->will(std::unexpected(failure_of(ErrorCode::upstream_failed)));
  EXPECT_FALSE(complete(model_));
  EXPECT_FALSE(complete(model_));
  const Outcome refused = complete(model_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, ErrorCode::overloaded);
  EXPECT_EQ(refused.error().kind, ModelError::Kind::refused_here);
  EXPECT_TRUE(refused.error().retry_after);
  EXPECT_THAT(refused.error().error.message, HasSubstr("model 'main'"));
  EXPECT_THAT(inner_->requests, SizeIs(2));
  EXPECT_THAT(observer_->circuit, ElementsAre(CircuitState::open));
  EXPECT_EQ(observer_->circuit_refusals, 1);
}

TEST_F(BreakerModelTest, does_not_blame_the_provider_for_wrong_requests) {
  for (const ModelError& failure :
       {failure_of(ErrorCode::invalid), failure_of(ErrorCode::cancelled), failure_of(ErrorCode::too_large),
        failure_of(ErrorCode::overloaded, ModelError::Kind::refused_here)}) {
    inner_->will(std::unexpected(failure));
  }
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(complete(model_));
  EXPECT_THAT(inner_->requests, SizeIs(5));
  EXPECT_THAT(observer_->circuit, IsEmpty());
}

class LimitedModelTest : public GuardsTest {
 protected:
  std::shared_ptr<LimitedModel> limited(CallLimits limits) {
    return std::make_shared<LimitedModel>(inner_, "main", limits, observer_, clock_);
  }
  void start(const std::shared_ptr<LimitedModel>& model, ChatRequest request = request_of("Hi")) {
    asio::co_spawn(io_, model->complete(std::move(request), {}),
                   [this](const std::exception_ptr&, Outcome outcome) { ended_.push_back(std::move(outcome)); });
  }

  std::vector<Outcome> ended_;
};

TEST_F(LimitedModelTest, runs_so_many_calls_at_once_and_all_in_the_end) {
  inner_->takes = 1ms;
  inner_->will(answer_of("ok"));
  const auto model = limited({.max_running = 3, .max_waiting = 100});
  for (int i = 0; i < 20; ++i) start(model);
  test::run_until(io_, [&] { return ended_.size() == 20; });
  EXPECT_EQ(inner_->most_running, 3U);
  for (const Outcome& outcome : ended_) EXPECT_TRUE(outcome);
  EXPECT_EQ(observer_->queue, std::pair(std::size_t{0}, std::size_t{0}));
}

TEST_F(LimitedModelTest, serves_those_who_wait_in_their_order) {
  inner_->takes = 1ms;
  inner_->will(answer_of("ok"));
  const auto model = limited({.max_running = 1, .max_waiting = 100});
  for (const char* text : {"a", "b", "c", "d"}) start(model, request_of(text));
  test::run_until(io_, [&] { return ended_.size() == 4; });
  std::string order;
  for (const ChatRequest& request : inner_->requests) order += request.messages[0].content;
  EXPECT_EQ(order, "abcd");
}

TEST_F(LimitedModelTest, refuses_a_call_when_too_many_wait) {
  inner_->takes = 1h;
  inner_->will(answer_of("ok"));
  const auto model = limited({.max_running = 1, .max_waiting = 1});
  for (int i = 0; i < 3; ++i) start(model);
  test::run_until(io_, [&] { return !ended_.empty(); });
  ASSERT_FALSE(ended_[0]);
  EXPECT_EQ(ended_[0].error().error.code, ErrorCode::overloaded);
  EXPECT_EQ(ended_[0].error().kind, ModelError::Kind::refused_here);
  EXPECT_EQ(observer_->queue, std::pair(std::size_t{1}, std::size_t{1}));
  EXPECT_EQ(observer_->queue_refusals, 1);
}

TEST_F(LimitedModelTest, lets_nobody_wait_too_long_or_past_the_deadline) {
  inner_->takes = 1h;
  inner_->will(answer_of("ok"));
  const auto model = limited({.max_running = 1, .max_waiting = 10, .max_wait = 20ms});
  start(model);
  ChatRequest hurried = request_of("Hi");
  hurried.deadline = clock_.now() + 1ms;
  start(model, hurried);
  start(model);
  test::run_until(io_, [&] { return ended_.size() == 2; });
  EXPECT_EQ(ended_[0].error().error.code, ErrorCode::timeout);
  EXPECT_EQ(ended_[1].error().error.code, ErrorCode::overloaded);
  EXPECT_EQ(observer_->queue, std::pair(std::size_t{1}, std::size_t{0}));
}

class CachedModelTest : public GuardsTest {
 protected:
  CachedModel model_{inner_, CacheOptions{}, observer_, clock_};
};

TEST_F(CachedModelTest, answers_the_same_request_again_for_nothing) {
  inner_->will(answer_of("Hello"));
  ASSERT_TRUE(complete(model_));
  const Outcome again = stream(model_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text, "Hello");
  EXPECT_EQ(again->usage, messages::Usage{.model = "fake"});
  EXPECT_THAT(pieces_, ElementsAre("Hello"));
  EXPECT_THAT(inner_->requests, SizeIs(1));
  EXPECT_EQ(observer_->hits, 1);
  EXPECT_EQ(observer_->misses, 1);
}

TEST_F(CachedModelTest, asks_when_anything_differs_that_an_answer_depends_on) {
  inner_->will(answer_of("Hello"));
  std::vector<ChatRequest> requests(7, request_of("Hi"));
  requests[1].messages[0].role = Role::system;
  requests[2].temperature = 0.5;
  requests[3].tools = {{.name = "sql"}};
  requests[4].response_schema = {.name = "a", .schema = "{}"};
  requests[5].model = "other";
  requests[6].stop = {"END"};
  for (const ChatRequest& request : requests) EXPECT_TRUE(complete(model_, request));
  EXPECT_EQ(observer_->misses, 7);
}

TEST_F(CachedModelTest, does_not_care_who_asks_and_until_when) {
  inner_->will(answer_of("Hello"));
  EXPECT_TRUE(complete(model_));
  ChatRequest other = request_of("Hi");
  other.caller = {.agent = "hr/bob", .conversation = "c"};
  other.deadline = clock_.now() + 1h;
  EXPECT_TRUE(complete(model_, other));
  EXPECT_EQ(observer_->hits, 1);
}

TEST_F(CachedModelTest, keeps_neither_failures_nor_cut_answers_nor_uses_of_tools) {
  inner_->will(std::unexpected(failure_of(ErrorCode::upstream_failed)));
  Completion cut = answer_of("Hel");
  cut.finish_reason = FinishReason::length;
  inner_->will(cut);
  Completion calling = answer_of("");
  calling.tool_calls = {{"c1", "pay", "{}"}};
  calling.finish_reason = FinishReason::tool_calls;
  inner_->will(calling);
  for (int i = 0; i < 4; ++i) static_cast<void>(complete(model_));
  EXPECT_EQ(observer_->hits, 0);
}

TEST(AnswerCache, forgets_the_least_recently_used_first) {
  AnswerCache cache({.max_entries = 2});
  const TimePoint now{1h};
  cache.add("a", answer_of("1"), now);
  cache.add("b", answer_of("2"), now);
  EXPECT_TRUE(cache.find("a", now));
  cache.add("c", answer_of("3"), now);
  EXPECT_TRUE(cache.find("a", now));
  EXPECT_FALSE(cache.find("b", now));
  EXPECT_TRUE(cache.find("c", now));
}

TEST(AnswerCache, keeps_to_its_bytes_and_its_age) {
  AnswerCache cache({.max_entries = 100, .max_bytes = 10'000, .ttl = 1min});
  const TimePoint now{1h};
  cache.add("huge", answer_of(std::string(20'000, 'x')), now);
  EXPECT_EQ(cache.size(), 0U);
  for (int i = 0; i < 50; ++i) cache.add(std::to_string(i), answer_of(std::string(1000, 'x')), now);
  EXPECT_LE(cache.bytes(), 10'000U);
  EXPECT_GT(cache.size(), 3U);
  EXPECT_TRUE(cache.find("49", now + 59s));
  EXPECT_FALSE(cache.find("49", now + 60s));
}

class FallbackModelTest : public GuardsTest {
 protected:
  FallbackMember member(const std::string& name, Outcome outcome) {
    auto fake = std::make_shared<FakeModel>();
    fake->will(std::move(outcome));
    fakes_[name] = fake;
    return {name, fake, observer_};
  }
  static Outcome failing(ErrorCode code, ModelError::Kind kind = ModelError::Kind::other) {
    return std::unexpected(failure_of(code, kind));
  }

  std::map<std::string, std::shared_ptr<FakeModel>> fakes_;
};

TEST_F(FallbackModelTest, asks_the_next_one_when_one_fails) {
  FallbackModel model({{member("a", failing(ErrorCode::overloaded)), member("b", failing(ErrorCode::unauthorized)),
                        member("c", answer_of("from c"))}},
                      clock_);
  const Outcome outcome = complete(model);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->text, "from c");
  EXPECT_EQ(observer_->fallbacks, 2);
}

TEST_F(FallbackModelTest, tells_how_all_of_them_failed) {
  FallbackModel model({{member("a", failing(ErrorCode::overloaded)), member("b", failing(ErrorCode::unreachable))}},
                      clock_);
  const Outcome outcome = complete(model);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::unreachable);
  EXPECT_THAT(outcome.error().error.message, HasSubstr("(before it failed: a: overloaded)"));
}

TEST_F(FallbackModelTest, does_not_pass_on_what_is_the_callers_own) {
  for (const ErrorCode code : {ErrorCode::invalid, ErrorCode::cancelled}) {
    FallbackModel model({{member("a", failing(code)), member("b", answer_of("never"))}}, clock_);
    EXPECT_EQ(complete(model).error().error.code, code);
    EXPECT_THAT(fakes_["b"]->requests, IsEmpty());
  }
}

TEST_F(FallbackModelTest, does_not_ask_another_one_once_a_piece_was_handed_out) {
  FallbackModel model({{member("a", failing(ErrorCode::upstream_failed)), member("b", answer_of("never"))}}, clock_);
  fakes_["a"]->is_streaming_before_failure = true;
  EXPECT_FALSE(stream(model));
  EXPECT_THAT(pieces_, ElementsAre("partial"));
}

TEST_F(FallbackModelTest, asks_nobody_behind_the_deadline) {
  FallbackModel model({{member("a", failing(ErrorCode::timeout)), member("b", answer_of("never"))}}, clock_);
  ChatRequest request = request_of("Hi");
  request.deadline = clock_.now() - 1ms;
  EXPECT_EQ(complete(model, request).error().error.code, ErrorCode::timeout);
}

TEST_F(FallbackModelTest, has_chains_of_their_own_for_long_and_for_unwanted_requests) {
  const Outcome too_long = failing(ErrorCode::too_large, ModelError::Kind::context_window);
  FallbackModel model({.members = {member("a", too_long), member("b", answer_of("never"))},
                       .for_context_window = {member("large", too_long), member("larger", answer_of("read it all"))}},
                      clock_);
  EXPECT_EQ(complete(model)->text, "read it all");
  EXPECT_THAT(fakes_["b"]->requests, IsEmpty());
  FallbackModel without(
      {{member("a", failing(ErrorCode::invalid, ModelError::Kind::content_policy)), member("b", answer_of("never"))}},
      clock_);
  EXPECT_EQ(complete(without).error().kind, ModelError::Kind::content_policy);
}

}  // namespace
}  // namespace parley::llm
