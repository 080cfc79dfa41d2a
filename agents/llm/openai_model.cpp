#include "agents/llm/openai_model.hpp"

#include <algorithm>
#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <cstdlib>
#include <utility>

#include "agents/llm/fingerprint.hpp"
#include "agents/llm/openai_errors.hpp"
#include "agents/llm/openai_request.hpp"
#include "agents/llm/pause.hpp"
#include "agents/llm/retry.hpp"
#include "agents/llm/sse_parser.hpp"
#include "agents/llm/token_estimate.hpp"

namespace parley::llm {

namespace {

constexpr std::size_t kMaxErrorBodyBytes = std::size_t{64} * 1024;
/// Shorter keys are placeholders for local servers, not secrets.
constexpr std::size_t kMinSecretBytes = 8;
/// The end of the HTTP answer usually follows `[DONE]` at once; having read it keeps the connection for the next call.
constexpr Duration kEndOfAnswerWait = std::chrono::milliseconds(50);

Result<std::string> key_from_environment(const OpenAiOptions& options) {
  if (options.key_variable.empty()) return std::string();
  const char* value = std::getenv(options.key_variable.c_str());
  std::string key = value == nullptr ? "" : value;
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' ')) key.pop_back();
  if (key.empty()) {
    return fail(ErrorCode::bad_configuration, "the environment variable " + options.key_variable +
                                                  " is not set; it must hold the key for " + options.base_url);
  }
  if (std::ranges::any_of(key, [](char c) { return c <= 0x20 || c == 0x7F; })) {
    return fail(ErrorCode::bad_configuration,
                "the environment variable " + options.key_variable + " holds characters that no key has");
  }
  return key;
}

}  // namespace

struct OpenAiModel::Call {
  CallSite site;
  std::string body;
  std::string call_id;
  std::uint64_t estimated_input = 0;
  ChunkSink on_chunk;
  TimePoint started;
  TimePoint deadline;
  std::optional<Duration> time_to_first_chunk;
  std::vector<ErrorCode> failed_attempts = {};
};

Result<std::unique_ptr<OpenAiModel>> OpenAiModel::make(OpenAiOptions options, std::shared_ptr<http::CurlMulti> multi,
                                                       const Clock& clock, Random& random) {
  Result<Endpoint> endpoint = Endpoint::parse(options.base_url);
  if (!endpoint) return fail(std::move(endpoint).error());
  Result<std::string> key = key_from_environment(options);
  if (!key) return fail(std::move(key).error());
  return std::unique_ptr<OpenAiModel>(
      new OpenAiModel(std::move(options), std::move(*endpoint), std::move(*key), std::move(multi), clock, random));
}

OpenAiModel::OpenAiModel(OpenAiOptions options, Endpoint endpoint, std::string key,
                         std::shared_ptr<http::CurlMulti> multi, const Clock& clock, Random& random)
    : options_(std::move(options)),
      endpoint_(std::move(endpoint)),
      key_(std::move(key)),
      multi_(std::move(multi)),
      clock_(clock),
      random_(random) {}

Task<std::expected<Completion, ModelError>> OpenAiModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const std::string model = request.model.empty() ? options_.model : request.model;
  const Delivery delivery = on_chunk ? Delivery::streamed : Delivery::whole;
  const TimePoint now = clock_.now();
  Call call{.site = {.host = endpoint_.host, .model = model, .key_variable = options_.key_variable},
            .body = openai_request_body(request, model, delivery, options_.dialect),
            .call_id = "call_" + hex_text(random_.next()),
            .estimated_input = estimate_input_tokens(request),
            .on_chunk = std::move(on_chunk),
            .started = now,
            .deadline = std::min(now + options_.timeout, request.deadline.value_or(TimePoint::max())),
            .time_to_first_chunk = std::nullopt};

  Outcome outcome =
      std::unexpected(ModelError{.error = {ErrorCode::cancelled, "the call of " + call.site.str() + " was cancelled"}});
  try {
    outcome = co_await attempt_until_done(call);
  } catch (const asio::system_error& aborted) {
    // Asio throws this into a coroutine that was cancelled while it was not waiting.
    if (aborted.code() != asio::error::operation_aborted) throw;
  }
  if (!outcome) {
    hide_key(outcome.error().error.message);
    outcome.error().failed_attempts = std::move(call.failed_attempts);
    co_return outcome;
  }
  outcome->latency = clock_.now() - call.started;
  outcome->time_to_first_chunk = call.time_to_first_chunk;
  outcome->failed_attempts = std::move(call.failed_attempts);
  co_return outcome;
}

Task<OpenAiModel::Outcome> OpenAiModel::attempt_until_done(Call& call) {
  Retry retry(options_);
  for (;;) {
    Outcome outcome = co_await attempt(call);
    if (outcome || call.time_to_first_chunk) co_return outcome;
    const auto delay = retry.delay_after(outcome.error(), clock_.now(), call.deadline, random_);
    if (!delay) {
      if (!call.failed_attempts.empty()) {
        outcome.error().error.message += " (tried " + std::to_string(call.failed_attempts.size() + 1) + " times)";
      }
      co_return outcome;
    }
    call.failed_attempts.push_back(outcome.error().error.code);
    if (Result<> waited = co_await pause(*delay); !waited) {
      co_return std::unexpected(ModelError{.error = std::move(waited).error()});
    }
  }
}

Task<OpenAiModel::Outcome> OpenAiModel::attempt(Call& call) {
  http::HttpTransfer transfer(multi_, make_post(call));
  ChatAccumulator answer(call.site, call.estimated_input, call.call_id);
  Bytes bytes = co_await transfer.read(time_left(call));
  if (!bytes) co_return std::unexpected(failure_of_transfer(call, answer, bytes.error()));
  const bool is_success = transfer.status() >= 200 && transfer.status() < 300;
  if (is_success && transfer.header("content-type").starts_with("text/event-stream")) {
    co_return co_await read_stream(call, transfer, answer, std::move(bytes));
  }
  co_return co_await read_whole(call, transfer, answer, std::move(bytes));
}

Task<OpenAiModel::Outcome> OpenAiModel::read_stream(Call& call, http::HttpTransfer& transfer, ChatAccumulator& answer,
                                                    Bytes bytes) {
  SseParser parser;
  while (bytes && *bytes) {
    Progress taken = co_await take_events(call, answer, parser.feed(**bytes));
    if (!taken) co_return std::unexpected(std::move(taken).error());
    if (answer.is_done()) {
      static_cast<void>(co_await transfer.read(std::min(time_left(call), kEndOfAnswerWait)));
      co_return answer.finish();
    }
    bytes = co_await transfer.read(time_left(call));
  }
  // An answer whose finish_reason has come is whole, even if usage and the end of the stream are missing.
  if (!bytes && (!answer.is_complete() || bytes.error().code == ErrorCode::cancelled)) {
    co_return std::unexpected(failure_of_transfer(call, answer, bytes.error()));
  }
  if (bytes) {
    Progress taken = co_await take_events(call, answer, parser.finish());
    if (!taken) co_return std::unexpected(std::move(taken).error());
  }
  co_return answer.finish();
}

Task<OpenAiModel::Outcome> OpenAiModel::read_whole(Call& call, http::HttpTransfer& transfer, ChatAccumulator& answer,
                                                   Bytes bytes) {
  const bool is_success = transfer.status() >= 200 && transfer.status() < 300;
  std::string body;
  while (bytes && *bytes && (is_success || body.size() < kMaxErrorBodyBytes)) {
    body += **bytes;
    bytes = co_await transfer.read(time_left(call));
  }
  if (!bytes && (is_success || bytes.error().code == ErrorCode::cancelled)) {
    co_return std::unexpected(failure_of_transfer(call, answer, bytes.error()));
  }
  // An error's status says enough even if its text broke off.
  if (!is_success) co_return std::unexpected(failure_of_status(call, transfer, body));

  auto text = answer.add_whole(body);
  if (!text) co_return std::unexpected(std::move(text).error());
  Outcome completion = answer.finish();
  if (!completion) co_return completion;
  Progress taken = co_await hand_out(call, answer, std::move(*text));
  if (!taken) co_return std::unexpected(std::move(taken).error());
  co_return completion;
}

Task<OpenAiModel::Progress> OpenAiModel::take_events(Call& call, ChatAccumulator& answer,
                                                     const Result<std::vector<std::string>>& events) {
  if (!events) {
    co_return std::unexpected(answer.with_usage(
        {.error = {ErrorCode::upstream_failed, call.site.str() + ": " + events.error().message, false}}));
  }
  for (const std::string& data : *events) {
    auto text = answer.add(data);
    if (!text) co_return std::unexpected(std::move(text).error());
    Progress taken = co_await hand_out(call, answer, std::move(*text));
    if (!taken) co_return taken;
  }
  co_return Progress{};
}

Task<OpenAiModel::Progress> OpenAiModel::hand_out(Call& call, ChatAccumulator& answer, std::string text) {
  if (!call.on_chunk || text.empty()) co_return Progress{};
  if (!call.time_to_first_chunk) call.time_to_first_chunk = clock_.now() - call.started;
  if (Result<> taken = co_await call.on_chunk(text); !taken) {
    co_return std::unexpected(answer.with_usage({.error = std::move(taken).error()}));
  }
  co_return Progress{};
}

http::HttpRequest OpenAiModel::make_post(const Call& call) const {
  http::HttpRequest post{.url = endpoint_.chat_url,
                         .headers = {"Content-Type: application/json", "Accept: application/json, text/event-stream"},
                         .body = call.body,
                         .connect_timeout = options_.connect_timeout,
                         .stall_timeout = options_.stall_timeout,
                         .max_response_bytes = options_.max_response_bytes,
                         .is_loopback = endpoint_.is_loopback};
  if (!key_.empty()) post.headers.push_back("Authorization: Bearer " + key_);
  return post;
}

Duration OpenAiModel::time_left(const Call& call) const { return call.deadline - clock_.now(); }

ModelError OpenAiModel::failure_of_transfer(const Call& call, const ChatAccumulator& answer, const Error& error) const {
  std::string message;
  switch (error.code) {
    case ErrorCode::unreachable:
      message =
          "cannot reach " + call.site.str() + ": " + error.message + "; is the server running, the base URL right?";
      break;
    case ErrorCode::timeout: {
      const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - call.started);
      message = call.site.str() + " did not finish within " + std::to_string(waited.count()) +
                " ms; allow more time or ask for less";
      break;
    }
    case ErrorCode::cancelled:
      message = "the call of " + call.site.str() + " was cancelled";
      break;
    default:
      message = call.site.str() + " broke its answer off after " + std::to_string(answer.text().size()) +
                " bytes: " + error.message + "; try again";
  }
  return answer.with_usage({.error = {error.code, std::move(message), error.retryable}});
}

ModelError OpenAiModel::failure_of_status(const Call& call, const http::HttpTransfer& transfer,
                                          std::string_view body) const {
  return error_of_status({.status = transfer.status(),
                          .body = body,
                          .retry_after = transfer.header("retry-after"),
                          .retry_after_ms = transfer.header("retry-after-ms"),
                          .should_retry = transfer.header("x-should-retry"),
                          .request_id = transfer.header("x-request-id")},
                         call.site, clock_.wall_now());
}

void OpenAiModel::hide_key(std::string& text) const {
  if (key_.size() < kMinSecretBytes) return;
  for (std::size_t at = text.find(key_); at != std::string::npos; at = text.find(key_, at)) text.erase(at, key_.size());
}

}  // namespace parley::llm
