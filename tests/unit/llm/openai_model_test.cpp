// The OpenAI-compatible model against the stub server, on one loop.
#include "agents/llm/openai_model.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sys/resource.h>
#include <unistd.h>

#include "agents/llm/pause.hpp"
#include "agents/llm/retrying_model.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/stub_model_server.hpp"
#include "tests/unit/llm/ask.hpp"

namespace parley::llm {
namespace {

using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator||;
using nlohmann::json;
using test::StubReply;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

using Outcome = std::expected<Completion, ModelError>;

constexpr const char* kKeyVariable = "PARLEY_TEST_MODEL_KEY";
constexpr const char* kKey = "sk-secret-0123456789";

StubReply failing(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
  StubReply reply;
  reply.status = status;
  reply.raw_body = std::move(body);
  reply.headers = std::move(headers);
  return reply;
}

StubReply ending(StubReply::Ending how, std::size_t pieces) {
  StubReply reply;
  reply.ending = how;
  reply.pieces_before_ending = pieces;
  return reply;
}

/// Nothing can be opened while it lives.
class NoDescriptorLeft {
 public:
  NoDescriptorLeft() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = ::dup(STDERR_FILENO); fd >= 0; fd = ::dup(STDERR_FILENO)) taken_.push_back(fd);
  }
  NoDescriptorLeft(const NoDescriptorLeft&) = delete;
  NoDescriptorLeft& operator=(const NoDescriptorLeft&) = delete;
  ~NoDescriptorLeft() {
    for (const int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

class OpenAiModelTest : public testing::Test {
 protected:
  OpenAiModelTest() {
    ::setenv(kKeyVariable, kKey, 1);
    options_.http.base_url = server_.base_url();
    options_.model = "asked-model";
    options_.http.key_variable = kKeyVariable;
    retry_.first_backoff = retry_.max_backoff = 1ms;
  }

  Result<std::unique_ptr<ChatModel>> make() {
    return make_openai_model(options_, http::CurlMulti::make(io_), clock_, random_);
  }
  ChatModel& model() {
    if (!model_) {
      const RetryingOptions retrying{.retry = retry_, .timeout = options_.http.timeout};
      model_ = std::make_unique<RetryingModel>(make().value(), retrying, clock_, random_);
    }
    return *model_;
  }
  Outcome complete(ChatRequest request = ask("Hi")) {
    return test::run_task(io_, model().complete(std::move(request), {}));
  }
  Outcome stream(ChatRequest request = ask("Hi")) {
    return test::run_task(io_, model().complete(std::move(request), collector()));
  }
  ChunkSink collector() {
    return [this](std::string_view piece) -> Task<Result<>> {
      pieces_.emplace_back(piece);
      co_return Result<>{};
    };
  }
  [[nodiscard]] std::string text_of_pieces() const {
    return std::accumulate(pieces_.begin(), pieces_.end(), std::string());
  }
  [[nodiscard]] json sent_body(std::size_t index = 0) const { return json::parse(server_.requests().at(index).body); }

  asio::io_context io_;
  SystemClock clock_;
  SeededRandom random_{1};
  test::StubModelServer server_{io_};
  OpenAiOptions options_;
  RetryOptions retry_;
  std::unique_ptr<ChatModel> model_;
  std::vector<std::string> pieces_;
};

TEST_F(OpenAiModelTest, returns_text_usage_and_model_of_a_whole_answer) {
  const Outcome outcome = complete();
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_EQ(outcome->text, "Hello from the stub.");
  EXPECT_EQ(outcome->finish_reason, FinishReason::stop);
  EXPECT_EQ(outcome->usage.model, "stub-model");
  EXPECT_EQ(outcome->usage.input_tokens, 11U);
  EXPECT_EQ(outcome->usage.cached_input_tokens, 3U);
  EXPECT_EQ(outcome->usage.output_tokens, 5U);
  EXPECT_EQ(outcome->usage.reasoning_tokens, 2U);
  EXPECT_FALSE(outcome->usage.is_estimated);
  EXPECT_GT(outcome->latency, Duration::zero());
  EXPECT_FALSE(outcome->time_to_first_chunk);
}

TEST_F(OpenAiModelTest, posts_to_chat_completions_with_the_key_of_the_variable) {
  ASSERT_TRUE(complete());
  const test::StubRequest& request = server_.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/chat/completions");
  EXPECT_EQ(request.header("authorization"), std::string("Bearer ") + kKey);
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(sent_body(), json::parse(R"({"model":"asked-model","messages":[{"role":"user","content":"Hi"}]})"));
}

TEST_F(OpenAiModelTest, returns_tool_calls_streamed_or_not) {
  StubReply reply;
  reply.text = "Let me see.";
  reply.tool_calls = {{"c1", "sql", R"({"query":"SELECT 1"})"}, {"c2", "now", "{}"}};
  server_.set_default(reply);
  ChatRequest request = ask("Hi");
  request.tools = {{.name = "sql"}, {.name = "now"}};
  for (const Outcome& outcome : {complete(request), stream(request)}) {
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    EXPECT_EQ(outcome->finish_reason, FinishReason::tool_calls);
    EXPECT_THAT(outcome->tool_calls, ElementsAre(messages::ToolCall{"c1", "sql", R"({"query":"SELECT 1"})"},
                                                 messages::ToolCall{"c2", "now", "{}"}));
    EXPECT_EQ(outcome->text, "Let me see.");
  }
  EXPECT_EQ(text_of_pieces(), "Let me see.");
}

TEST_F(OpenAiModelTest, lets_a_request_name_another_model) {
  ChatRequest request = ask("Hi");
  request.model = "other-model";
  ASSERT_TRUE(complete(request));
  EXPECT_EQ(sent_body()["model"], "other-model");
}

TEST_F(OpenAiModelTest, sends_no_key_when_the_server_wants_none) {
  options_.http.key_variable = "";
  ASSERT_TRUE(complete());
  EXPECT_EQ(server_.requests().at(0).header("authorization"), "");
}

TEST_F(OpenAiModelTest, names_the_variable_of_a_missing_key) {
  ::unsetenv(kKeyVariable);
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(made.error().message, AllOf(HasSubstr(kKeyVariable), HasSubstr("not set")));
}

TEST_F(OpenAiModelTest, refuses_a_key_that_would_break_the_header_without_showing_it) {
  ::setenv(kKeyVariable, "sk-abc\r\nX-Evil: 1", 1);
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, AllOf(HasSubstr(kKeyVariable), Not(HasSubstr("sk-abc"))));
}

TEST_F(OpenAiModelTest, never_shows_the_key_even_if_the_provider_does) {
  server_.push(failing(401, std::string(R"({"error":{"message":"Incorrect API key provided: )") + kKey + R"("}})"));
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::unauthorized);
  EXPECT_THAT(outcome.error().error.message,
              AllOf(HasSubstr("Incorrect API key"), HasSubstr(kKeyVariable), Not(HasSubstr(kKey))));
}

TEST_F(OpenAiModelTest, streams_the_text_in_order) {
  const Outcome outcome = stream();
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_THAT(pieces_, ElementsAre("Hello", " from", " the ", "stub."));
  EXPECT_EQ(outcome->text, "Hello from the stub.");
  EXPECT_EQ(outcome->usage.output_tokens, 5U);
  EXPECT_TRUE(outcome->time_to_first_chunk);
  EXPECT_EQ(sent_body()["stream_options"]["include_usage"], true);
}

TEST_F(OpenAiModelTest, shows_progress_while_the_model_only_thinks) {
  StubReply reply;
  reply.raw_body =
      "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
  reply.content_type = "text/event-stream";
  server_.push(reply);
  int progress = 0;
  ChatRequest request = ask("Hi");
  request.on_progress = [&progress] { ++progress; };
  const Outcome outcome = stream(request);
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_GT(progress, 0);
  EXPECT_THAT(pieces_, SizeIs(0));
}

TEST_F(OpenAiModelTest, hands_out_one_piece_at_a_time) {
  bool is_busy = false;
  const ChunkSink slow = [&](std::string_view piece) -> Task<Result<>> {
    EXPECT_FALSE(std::exchange(is_busy, true));
    const std::string before(piece);
    static_cast<void>(co_await pause(1ms));
    EXPECT_EQ(piece, before);
    pieces_.emplace_back(piece);
    is_busy = false;
    co_return Result<>{};
  };
  ASSERT_TRUE(test::run_task(io_, model().complete(ask("Hi"), slow)));
  EXPECT_EQ(text_of_pieces(), "Hello from the stub.");
}

TEST_F(OpenAiModelTest, reads_on_after_a_slow_sink_has_made_the_network_wait) {
  StubReply big;
  big.text = std::string(400'000, 'x');
  big.chunk_bytes = 10'000;
  server_.push(big);
  const ChunkSink slow = [&](std::string_view piece) -> Task<Result<>> {
    pieces_.emplace_back(piece);
    co_return co_await pause(1ms);
  };
  const Outcome outcome = test::run_task(io_, model().complete(ask("Hi"), slow));
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_EQ(text_of_pieces(), big.text);
}

TEST_F(OpenAiModelTest, accepts_a_whole_answer_although_it_asked_for_a_stream) {
  StubReply reply;
  reply.raw_body = R"({"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]})";
  reply.content_type = "application/json";
  server_.push(reply);
  ASSERT_TRUE(stream());
  EXPECT_THAT(pieces_, ElementsAre("whole"));
}

TEST_F(OpenAiModelTest, estimates_usage_that_the_provider_does_not_tell) {
  StubReply reply;
  reply.has_usage = false;
  server_.set_default(reply);
  const Outcome whole = complete();
  const Outcome streamed = stream();
  ASSERT_TRUE(whole && streamed);
  EXPECT_TRUE(whole->usage.is_estimated);
  EXPECT_EQ(streamed->usage, whole->usage);
  EXPECT_EQ(streamed->usage.output_tokens, 5U);
}

TEST_F(OpenAiModelTest, accepts_a_stream_that_ends_without_done) {
  StubReply reply;
  reply.raw_body = "data: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\r\n";
  reply.content_type = "text/event-stream; charset=utf-8";
  server_.push(reply);
  const Outcome outcome = stream();
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_EQ(outcome->text, "ok");
}

TEST_F(OpenAiModelTest, keeps_the_connection_for_the_next_call) {
  ASSERT_TRUE(complete());
  ASSERT_TRUE(stream());
  ASSERT_TRUE(complete());
  EXPECT_EQ(server_.requests().at(2).connection, 1U);
}

TEST_F(OpenAiModelTest, runs_many_calls_at_once) {
  StubReply slow;
  slow.delay = 1ms;
  slow.piece_interval = 1ms;
  server_.set_default(slow);
  constexpr std::size_t kCalls = 50;
  std::size_t succeeded = 0;
  std::size_t ended = 0;
  for (std::size_t i = 0; i < kCalls; ++i) {
    asio::co_spawn(io_, model().complete(ask("Hi"), collector()),
                   [&](std::exception_ptr failure, const Outcome& outcome) {
                     ++ended;
                     if (!failure && outcome && outcome->text == slow.text) ++succeeded;
                   });
  }
  test::run_until(io_, [&] { return ended == kCalls; });
  EXPECT_EQ(succeeded, kCalls);
}

TEST_F(OpenAiModelTest, tries_again_after_a_failure_that_may_pass) {
  server_.push(failing(429, "{}"));
  server_.push(failing(500, "oops"));
  const Outcome outcome = complete();
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_THAT(outcome->failed_attempts, ElementsAre(ErrorCode::overloaded, ErrorCode::upstream_failed));
  EXPECT_THAT(server_.requests(), SizeIs(3));
}

TEST_F(OpenAiModelTest, gives_up_after_its_retries_and_says_how_often_it_tried) {
  server_.set_default(failing(500, R"({"error":{"message":"boom"}})"));
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::upstream_failed);
  EXPECT_THAT(outcome.error().error.message,
              AllOf(HasSubstr("'asked-model' at 127.0.0.1:"), HasSubstr("boom"), HasSubstr("(tried 3 times)")));
  EXPECT_THAT(server_.requests(), SizeIs(3));
}

TEST_F(OpenAiModelTest, waits_as_long_as_retry_after_says) {
  server_.push(failing(429, "{}", {{"Retry-After-Ms", "30"}, {"Retry-After", "3600"}}));
  const Outcome outcome = complete();
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_GE(outcome->latency, 30ms);
}

TEST_F(OpenAiModelTest, hands_a_long_retry_after_to_the_caller_instead_of_waiting) {
  server_.push(failing(429, R"({"error":{"message":"slow down"}})", {{"Retry-After", "3600"}}));
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::overloaded);
  EXPECT_TRUE(outcome.error().error.retryable);
  EXPECT_EQ(outcome.error().retry_after, 1h);
  EXPECT_THAT(server_.requests(), SizeIs(1));
}

TEST_F(OpenAiModelTest, says_so_when_the_process_has_no_file_descriptor_left) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer that looks at types in memory needs file descriptors itself";
#endif
  retry_.max_retries = 0;
  (void)model();
  const NoDescriptorLeft none;
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::unreachable);
  EXPECT_THAT(outcome.error().error.message, HasSubstr("no file descriptor left"));
}

TEST_F(OpenAiModelTest, does_not_retry_an_empty_account) {
  server_.push(
      failing(429, R"({"error":{"message":"quota","type":"insufficient_quota","code":"insufficient_quota"}})"));
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::budget_exceeded);
  EXPECT_THAT(server_.requests(), SizeIs(1));
}

TEST_F(OpenAiModelTest, does_not_retry_once_a_piece_was_handed_out) {
  server_.push(ending(StubReply::Ending::cut, 2));
  const Outcome outcome = stream();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::upstream_failed);
  EXPECT_EQ(text_of_pieces(), "Hello from");
  ASSERT_TRUE(outcome.error().usage);
  EXPECT_EQ(outcome.error().usage->output_tokens, 3U);
  EXPECT_TRUE(outcome.error().usage->is_estimated);
  EXPECT_THAT(server_.requests(), SizeIs(1));
}

TEST_F(OpenAiModelTest, tries_again_when_the_stream_is_cut_before_the_first_piece) {
  server_.push(ending(StubReply::Ending::cut, 0));
  const Outcome outcome = stream();
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  EXPECT_EQ(text_of_pieces(), "Hello from the stub.");
}

TEST_F(OpenAiModelTest, reports_malformed_json_as_a_failure_of_the_provider) {
  retry_.max_retries = 0;
  StubReply reply;
  reply.raw_body = "{\"choices\": [";
  server_.set_default(reply);
  const Outcome whole = complete();
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().error.code, ErrorCode::upstream_failed);
  reply.raw_body = "data: {\"choi\n\n";
  server_.set_default(reply);
  EXPECT_EQ(stream().error().error.code, ErrorCode::upstream_failed);
}

TEST_F(OpenAiModelTest, reports_an_error_that_arrives_in_mid_stream) {
  StubReply reply;
  reply.raw_body =
      "data: {\"choices\":[{\"delta\":{\"content\":\"par\"}}]}\n\ndata: {\"error\":{\"message\":\"out of "
      "memory\"}}\n\n";
  server_.push(reply);
  const Outcome outcome = stream();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().error.message, HasSubstr("out of memory"));
  EXPECT_THAT(pieces_, ElementsAre("par"));
}

TEST_F(OpenAiModelTest, stops_reading_an_answer_that_is_too_large) {
  options_.http.max_response_bytes = 10'000;
  StubReply reply;
  reply.text = std::string(20'000, 'x');
  server_.set_default(reply);
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::upstream_failed);
  EXPECT_THAT(outcome.error().error.message, HasSubstr("exceeds 10000 bytes"));
  EXPECT_THAT(server_.requests(), SizeIs(1));
}

TEST_F(OpenAiModelTest, says_that_a_server_cannot_be_reached) {
  retry_.max_retries = 0;
  {
    const test::StubModelServer gone(io_);
    options_.http.base_url = gone.base_url();
  }
  const Outcome outcome = complete();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::unreachable);
  EXPECT_TRUE(outcome.error().error.retryable);
  EXPECT_THAT(outcome.error().error.message,
              AllOf(HasSubstr("cannot reach model 'asked-model' at 127.0.0.1:"), HasSubstr("is the server running")));
}

TEST_F(OpenAiModelTest, ignores_the_proxy_of_the_environment_on_loopback) {
  ::setenv("http_proxy", "http://127.0.0.1:9", 1);
  const Outcome outcome = complete();
  ::unsetenv("http_proxy");
  ASSERT_TRUE(outcome) << outcome.error().error.message;
}

TEST_F(OpenAiModelTest, ends_an_answer_that_stalls) {
  options_.http.stall_timeout = 100ms;
  server_.push(ending(StubReply::Ending::stall, 2));
  const Outcome outcome = stream();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::upstream_failed);
  EXPECT_THAT(outcome.error().error.message, HasSubstr("nothing arrived for 100 ms"));
  EXPECT_EQ(text_of_pieces(), "Hello from");
}

TEST_F(OpenAiModelTest, ends_at_the_deadline_of_the_request) {
  server_.push(ending(StubReply::Ending::stall, 0));
  ChatRequest request = ask("Hi");
  request.deadline = clock_.now() + 20ms;
  const Outcome outcome = complete(request);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::timeout);
  EXPECT_THAT(outcome.error().error.message, HasSubstr("did not finish within"));
}

TEST_F(OpenAiModelTest, ends_at_its_own_timeout) {
  options_.http.timeout = 20ms;
  server_.push(ending(StubReply::Ending::stall, 1));
  EXPECT_EQ(stream().error().error.code, ErrorCode::timeout);
}

TEST_F(OpenAiModelTest, ends_with_the_failure_of_the_sink_and_closes_the_connection) {
  server_.push(ending(StubReply::Ending::stall, 2));
  const ChunkSink refusing = [](std::string_view) -> Task<Result<>> {
    co_return fail(ErrorCode::cancelled, "the caller went away");
  };
  const Outcome outcome = test::run_task(io_, model().complete(ask("Hi"), refusing));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.message, "the caller went away");
  EXPECT_TRUE(outcome.error().usage);
  test::run_until(io_, [&] { return server_.abandoned() == 1; });
}

class Cancelled : public OpenAiModelTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(Cancelled, aborts_the_transfer_at_once) {
  server_.push(ending(StubReply::Ending::stall, GetParam()));
  asio::cancellation_signal signal;
  std::optional<Outcome> outcome;
  const auto call = [this, &outcome](ChunkSink sink) -> Task<> {
    outcome = co_await model().complete(ask("Hi"), std::move(sink));
  };
  asio::co_spawn(io_, call(collector()), asio::bind_cancellation_slot(signal.slot(), asio::detached));
  test::run_until(io_, [&] { return server_.requests().size() == 1 && pieces_.size() == GetParam(); });

  signal.emit(asio::cancellation_type::terminal);
  test::run_until(io_, [&] { return outcome.has_value(); });

  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().error.code, ErrorCode::cancelled);
  test::run_until(io_, [&] { return server_.abandoned() == 1; });
}

INSTANTIATE_TEST_SUITE_P(AfterPieces, Cancelled, testing::Values(0, 2), testing::PrintToStringParamName());

TEST_F(OpenAiModelTest, is_cancelled_while_it_waits_for_the_next_attempt) {
  server_.set_default(failing(503, "{}", {{"Retry-After", "60"}}));
  std::optional<Outcome> outcome;
  asio::cancellation_signal signal;
  const auto call = [&]() -> Task<> { outcome = co_await model().complete(ask("Hi"), {}); };
  asio::co_spawn(io_, call(), asio::bind_cancellation_slot(signal.slot(), asio::detached));
  test::run_until(io_, [&] { return server_.requests().size() == 1; });
  asio::steady_timer soon(io_, 5ms);
  soon.async_wait([&](asio::error_code) { signal.emit(asio::cancellation_type::terminal); });
  test::run_until(io_, [&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->error().error.code, ErrorCode::cancelled);
}

TEST_F(OpenAiModelTest, loses_against_what_finishes_first) {
  server_.push(ending(StubReply::Ending::stall, 0));
  const auto race = [this]() -> Task<std::size_t> {
    const auto first = co_await (model().complete(ask("Hi"), {}) || pause(5ms));
    co_return first.index();
  };
  EXPECT_EQ(test::run_task(io_, race()), 1U);
}

TEST_F(OpenAiModelTest, may_be_destroyed_with_calls_under_way) {
  asio::io_context io;
  server_.push(ending(StubReply::Ending::stall, 2));
  test::StubModelServer server(io);
  server.push(ending(StubReply::Ending::stall, 2));
  options_.http.base_url = server.base_url();
  const auto model = make_openai_model(options_, http::CurlMulti::make(io), clock_, random_).value();
  asio::co_spawn(io, model->complete(ask("Hi"), collector()), [](std::exception_ptr, const Outcome&) {});
  test::run_until(io, [&] { return pieces_.size() == 2; });
}

}  // namespace
}  // namespace parley::llm
