#include "agents/llm/http_model.hpp"

#include <algorithm>
#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <cstdlib>
#include <utility>

#include "agents/llm/fingerprint.hpp"
#include "agents/llm/provider_errors.hpp"
#include "agents/llm/sse_parser.hpp"
#include "agents/llm/token_estimate.hpp"

namespace parley::llm {

namespace {

constexpr std::size_t kMaxErrorBodyBytes = std::size_t{64} * 1024;
/// Shorter keys are placeholders for local servers, not secrets.
constexpr std::size_t kMinSecretBytes = 8;
/// The end of the HTTP answer usually follows `[DONE]` at once; having read it keeps the connection for the next call.
constexpr Duration kEndOfAnswerWait = std::chrono::milliseconds(50);

Result<std::string> key_from_environment(const HttpOptions& options) {
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

bool is_success(const http::HttpTransfer& transfer) { return transfer.status() >= 200 && transfer.status() < 300; }

/// Some proxies lose the content type.
bool is_event_stream(const http::HttpTransfer& transfer, const Result<std::optional<std::string>>& first) {
  if (!is_success(transfer)) return false;
  if (transfer.header("content-type").starts_with("text/event-stream")) return true;
  return *first && ((*first)->starts_with("data:") || (*first)->starts_with("event:"));
}

}  // namespace

struct HttpModel::Call {
  ProviderCall provider;
  ChunkSink on_chunk;
  std::function<void()> on_progress;
  TimePoint started;
  TimePoint deadline;
  std::optional<Duration> time_to_first_chunk;
};

Result<std::unique_ptr<HttpModel>> HttpModel::make(HttpOptions options, std::string_view path,
                                                   std::unique_ptr<ProviderProtocol> protocol,
                                                   std::shared_ptr<http::CurlMulti> multi, const Clock& clock,
                                                   Random& random) {
  Result<Endpoint> endpoint = Endpoint::parse(options.base_url);
  if (!endpoint) return fail(std::move(endpoint).error());
  Result<std::string> key = key_from_environment(options);
  if (!key) return fail(std::move(key).error());
  std::string url = endpoint->base_url + std::string(path);
  return std::unique_ptr<HttpModel>(new HttpModel(std::move(options), std::move(*endpoint), std::move(url),
                                                  std::move(*key), std::move(protocol), std::move(multi), clock,
                                                  random));
}

HttpModel::HttpModel(HttpOptions options, Endpoint endpoint, std::string url, std::string key,
                     std::unique_ptr<ProviderProtocol> protocol, std::shared_ptr<http::CurlMulti> multi,
                     const Clock& clock, Random& random)
    : options_(std::move(options)),
      endpoint_(std::move(endpoint)),
      url_(std::move(url)),
      key_(std::move(key)),
      protocol_(std::move(protocol)),
      multi_(std::move(multi)),
      clock_(clock),
      random_(random) {}

Task<std::expected<Completion, ModelError>> HttpModel::complete(ChatRequest request, ChunkSink on_chunk) {
  const TimePoint now = clock_.now();
  const Delivery delivery = on_chunk ? Delivery::streamed : Delivery::whole;
  Call call{.provider = protocol_->prepare(request, delivery),
            .on_chunk = std::move(on_chunk),
            .on_progress = std::move(request.on_progress),
            .started = now,
            .deadline = std::min(now + options_.timeout, request.deadline.value_or(TimePoint::max())),
            .time_to_first_chunk = std::nullopt};
  call.provider.site.host = endpoint_.host;
  call.provider.site.key_variable = options_.key_variable;
  call.provider.estimated_input = estimate_input_tokens(request);
  call.provider.fallback_call_id = "call_" + hex_text(random_.next());
  request = {};  // the body says it all, and thousands of calls wait at once

  Outcome outcome = std::unexpected(
      ModelError{.error = {ErrorCode::cancelled, "the call of " + call.provider.site.str() + " was cancelled"}});
  try {
    outcome = co_await attempt(call);
  } catch (const asio::system_error& aborted) {
    // Asio throws this into a coroutine that was cancelled while it was not waiting.
    if (aborted.code() != asio::error::operation_aborted) throw;
  }
  if (!outcome) {
    hide_key(outcome.error().error.message);
    co_return outcome;
  }
  outcome->latency = clock_.now() - call.started;
  outcome->time_to_first_chunk = call.time_to_first_chunk;
  co_return outcome;
}

Task<HttpModel::Outcome> HttpModel::attempt(Call& call) {
  http::HttpTransfer transfer(multi_, make_post(call));
  const std::unique_ptr<AnswerReader> answer = protocol_->reader(call.provider);
  Bytes bytes = co_await transfer.read(time_left(call));
  if (!bytes) co_return std::unexpected(failure_of_transfer(call, *answer, bytes.error()));
  Outcome outcome;
  if (is_event_stream(transfer, bytes)) {
    outcome = co_await read_stream(call, transfer, *answer, std::move(bytes));
  } else {
    outcome = co_await read_whole(call, transfer, *answer, std::move(bytes));
  }
  // Not streamed although it was asked for, or text that was known only at the end.
  if (outcome && !call.time_to_first_chunk) {
    Progress taken = co_await hand_out(call, *answer, outcome->text);
    if (!taken) co_return std::unexpected(std::move(taken).error());
  }
  co_return outcome;
}

Task<HttpModel::Outcome> HttpModel::read_stream(Call& call, http::HttpTransfer& transfer, AnswerReader& answer,
                                                Bytes bytes) {
  SseParser parser;
  while (bytes && *bytes) {
    if (call.on_progress) call.on_progress();
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

Task<HttpModel::Outcome> HttpModel::read_whole(Call& call, http::HttpTransfer& transfer, AnswerReader& answer,
                                               Bytes bytes) {
  std::string body;
  while (bytes && *bytes && (is_success(transfer) || body.size() < kMaxErrorBodyBytes)) {
    body += **bytes;
    bytes = co_await transfer.read(time_left(call));
  }
  if (!bytes && (is_success(transfer) || bytes.error().code == ErrorCode::cancelled)) {
    co_return std::unexpected(failure_of_transfer(call, answer, bytes.error()));
  }
  // An error's status says enough even if its text broke off.
  if (!is_success(transfer)) co_return std::unexpected(failure_of_status(call, transfer, body));

  auto text = answer.add_whole(body);
  if (!text) co_return std::unexpected(std::move(text).error());
  co_return answer.finish();
}

Task<HttpModel::Progress> HttpModel::take_events(Call& call, AnswerReader& answer,
                                                 const Result<std::vector<std::string>>& events) {
  if (!events) {
    co_return std::unexpected(answer.with_usage(
        {.error = {ErrorCode::upstream_failed, call.provider.site.str() + ": " + events.error().message, false}}));
  }
  for (const std::string& data : *events) {
    auto text = answer.add(data);
    if (!text) co_return std::unexpected(std::move(text).error());
    Progress taken = co_await hand_out(call, answer, std::move(*text));
    if (!taken) co_return taken;
  }
  co_return Progress{};
}

Task<HttpModel::Progress> HttpModel::hand_out(Call& call, AnswerReader& answer, std::string text) {
  if (!call.on_chunk || text.empty()) co_return Progress{};
  if (!call.time_to_first_chunk) call.time_to_first_chunk = clock_.now() - call.started;
  if (Result<> taken = co_await call.on_chunk(text); !taken) {
    co_return std::unexpected(answer.with_usage({.error = std::move(taken).error()}));
  }
  co_return Progress{};
}

http::HttpRequest HttpModel::make_post(Call& call) const {
  http::HttpRequest post{.url = url_,
                         .headers = protocol_->headers(key_),
                         .body = std::move(call.provider.body),
                         .connect_timeout = options_.connect_timeout,
                         .stall_timeout = options_.stall_timeout,
                         .max_response_bytes = options_.max_response_bytes,
                         .is_loopback = endpoint_.is_loopback};
  post.headers.emplace_back("Content-Type: application/json");
  post.headers.emplace_back("Accept: application/json, text/event-stream");
  return post;
}

Duration HttpModel::time_left(const Call& call) const { return call.deadline - clock_.now(); }

ModelError HttpModel::failure_of_transfer(const Call& call, const AnswerReader& answer, const Error& error) const {
  std::string message;
  switch (error.code) {
    case ErrorCode::unreachable:
      message = "cannot reach " + call.provider.site.str() + ": " + error.message +
                "; is the server running, the base URL right?";
      break;
    case ErrorCode::timeout: {
      const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - call.started);
      message = call.provider.site.str() + " did not finish within " + std::to_string(waited.count()) +
                " ms; allow more time or ask for less";
      break;
    }
    case ErrorCode::cancelled:
      message = "the call of " + call.provider.site.str() + " was cancelled";
      break;
    default:
      message = call.provider.site.str() + " broke its answer off after " + std::to_string(answer.text_bytes()) +
                " bytes: " + error.message + "; try again";
  }
  return answer.with_usage({.error = {error.code, std::move(message), error.retryable}});
}

ModelError HttpModel::failure_of_status(const Call& call, const http::HttpTransfer& transfer,
                                        std::string_view body) const {
  std::string_view request_id = transfer.header("x-request-id");
  if (request_id.empty()) request_id = transfer.header("request-id");
  return error_of_status({.status = transfer.status(),
                          .body = body,
                          .retry_after = transfer.header("retry-after"),
                          .retry_after_ms = transfer.header("retry-after-ms"),
                          .should_retry = transfer.header("x-should-retry"),
                          .request_id = request_id},
                         call.provider.site, clock_.wall_now());
}

void HttpModel::hide_key(std::string& text) const {
  if (key_.size() < kMinSecretBytes) return;
  for (std::size_t at = text.find(key_); at != std::string::npos; at = text.find(key_, at)) text.erase(at, key_.size());
}

}  // namespace parley::llm
