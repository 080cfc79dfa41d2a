#include "agents/llm/turn_call.hpp"

#include <gtest/gtest.h>
#include <stdexcept>

#include "agents/llm/offline_model.hpp"
#include "agents/llm/pause.hpp"
#include "libmsg/messages/budget_refusal.hpp"
#include "tests/support/run_task.hpp"

namespace parley::llm {
namespace {

using namespace std::chrono_literals;

/// A turn that is cancelled after some time.
class FakeTurn final : public Context {
 public:
  explicit FakeTurn(Duration time_to_cancel) : time_to_cancel_(time_to_cancel) {}

  const AgentId& self() const override { return id_; }
  const AgentId& sender() const override { return id_; }
  const std::optional<Topic>& topic() const override { return topic_; }
  bool is_request() const override { return true; }
  const Attributes& attributes() const override { return attributes_; }
  std::string_view attribute(std::string_view) const override { return {}; }
  std::optional<TimePoint> deadline() const override { return deadline_; }
  bool is_cancelled() const override { return false; }
  TimePoint now() const override { return clock_.now(); }
  Task<Result<>> part(Payload) override { co_return Result<>{}; }
  Task<Result<>> sleep(std::chrono::milliseconds) override {
    static_cast<void>(co_await pause(time_to_cancel_));
    co_return fail(ErrorCode::cancelled, "the caller went away");
  }
  Task<Result<Payload>> request(Target, Payload, CallOptions) override { co_return Payload{}; }
  Task<Result<ReplyStream>> request_stream(Target, Payload, CallOptions) override {
    co_return fail(ErrorCode::invalid, "unused");
  }
  Task<Result<>> send(Target, Payload, CallOptions) override { co_return Result<>{}; }
  Task<Result<std::uint32_t>> publish(Topic, Payload, CallOptions) override { co_return 0U; }
  void report_progress() override { progress++; }
  void report_model_success() override { successes++; }
  void report_model_failure() override { failures++; }

  std::optional<TimePoint> deadline_;
  int progress = 0;
  int successes = 0;
  int failures = 0;

 private:
  Duration time_to_cancel_;
  SystemClock clock_;
  AgentId id_;
  std::optional<Topic> topic_;
  Attributes attributes_;
};

class TurnCall : public testing::Test {
 protected:
  std::expected<Completion, ModelError> call(std::chrono::milliseconds latency, FakeTurn& turn, ChunkSink sink = {}) {
    OfflineOptions options;
    options.latency = latency;
    OfflineModel model(OfflineRules::make(options).value(), clock_);
    return test::run_task(io_, complete_in_turn(model, {}, turn, std::move(sink)));
  }

  asio::io_context io_;
  SystemClock clock_;
};

TEST_F(TurnCall, returns_the_completion_and_reports_it) {
  FakeTurn turn(1h);
  EXPECT_TRUE(call(0ms, turn));
  EXPECT_EQ(turn.successes, 1);
  EXPECT_EQ(turn.failures, 0);
}

TEST_F(TurnCall, reports_each_piece_of_a_streamed_answer_as_progress) {
  FakeTurn turn(1h);
  int pieces = 0;
  EXPECT_TRUE(call(0ms, turn, [&pieces](std::string_view) -> Task<Result<>> {
    pieces++;
    co_return Result<>{};
  }));
  EXPECT_GT(pieces, 0);
  EXPECT_EQ(turn.progress, pieces);
}

TEST_F(TurnCall, ends_when_the_message_is_cancelled) {
  FakeTurn turn(1ms);
  const auto outcome = call(1h, turn);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.message, "the caller went away");
  EXPECT_EQ(turn.failures, 0);
}

TEST_F(TurnCall, ends_at_the_deadline_of_the_message) {
  FakeTurn turn(1h);
  turn.deadline_ = clock_.now() + 1ms;
  EXPECT_EQ(call(1h, turn).error().error.code, ErrorCode::timeout);
  EXPECT_EQ(turn.failures, 1);
}

/// Fails as it is told.
class FailingModel final : public ChatModel {
 public:
  explicit FailingModel(Error error) : error_(std::move(error)) {}
  Task<std::expected<Completion, ModelError>> complete(ChatRequest, ChunkSink) override {
    co_return std::unexpected(ModelError{.error = error_});
  }

 private:
  Error error_;
};

TEST_F(TurnCall, takes_a_refusal_of_the_ledger_for_no_failure_of_the_model_but_an_empty_account_for_one) {
  FakeTurn turn(1h);
  Error refusal(ErrorCode::budget_exceeded, "no room");
  refusal.details = messages::to_details({"desk", "all", "", "day"});
  FailingModel refused(refusal);
  const auto outcome = test::run_task(io_, complete_in_turn(refused, {}, turn));
  EXPECT_EQ(outcome.error().error, refusal);
  EXPECT_EQ(turn.failures, 0);
  EXPECT_EQ(turn.successes, 0);
  FailingModel broke(Error(ErrorCode::budget_exceeded, "insufficient_quota"));
  EXPECT_FALSE(test::run_task(io_, complete_in_turn(broke, {}, turn)));
  EXPECT_EQ(turn.failures, 1);
}

TEST_F(TurnCall, throws_what_the_sink_throws) {
  FakeTurn turn(1h);
  const ChunkSink throwing = [](std::string_view) -> Task<Result<>> {
    throw std::runtime_error("sink");
    co_return Result<>{};
  };
  EXPECT_THROW(static_cast<void>(call(0ms, turn, throwing)), std::runtime_error);
}

}  // namespace
}  // namespace parley::llm
