#include "agents/mcp/http_stream.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "agents/llm/sse_parser.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::mcp {

namespace {

/// A notification is small; so is a question.
constexpr std::size_t kMaxNoteBytes = std::size_t{1024} * 1024;
/// What stays silent for this long is asked for again, in case that only one side knows that it is over.
constexpr std::chrono::minutes kMaxSilence{30};
constexpr std::chrono::seconds kAnswerTime{10};

}  // namespace

HttpStream::HttpStream(std::shared_ptr<const HttpEndpoint> endpoint, Envelope about, Random& random,
                       std::function<void(const Json& message)> on_message)
    : endpoint_(std::move(endpoint)),
      about_(std::move(about)),
      random_(random),
      on_message_(std::move(on_message)),
      pause_(endpoint_->multi()->io()) {}

void HttpStream::start(const std::shared_ptr<HttpStream>& stream) {
  asio::co_spawn(stream->pause_.get_executor(), run(stream),
                 asio::bind_cancellation_slot(stream->cancel_.slot(), asio::detached));
}

void HttpStream::stop() {
  if (std::exchange(is_stopped_, true)) return;
  on_message_ = nullptr;
  cancel_.emit(asio::cancellation_type::terminal);
}

Task<> HttpStream::run(std::shared_ptr<HttpStream> self) {
  while (!self->is_stopped_) {
    const StreamEnding ending = co_await self->listen_once();
    if (self->is_stopped_) break;
    const std::optional<Duration> pause = self->retry_.next(ending, self->random_);
    if (!pause) {
      spdlog::debug("event=mcp_no_stream status={}", ending.status);
      break;
    }
    self->pause_.expires_after(*pause);
    asio::error_code error;
    co_await self->pause_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

Task<StreamEnding> HttpStream::listen_once() {
  http::HttpTransfer transfer(endpoint_->multi(), endpoint_->get_stream(about_, last_event_id_));
  const TimePoint begun = endpoint_->clock().now();
  co_await read_events(transfer);
  StreamEnding ending;
  ending.status = transfer.status();
  ending.is_stream = ending.status >= 200 && ending.status < 300 &&
                     ascii_lower(transfer.header("content-type")).starts_with("text/event-stream");
  ending.stood = endpoint_->clock().now() - begun;
  co_return ending;
}

/// Until it ends, however it does; a body that is no stream holds no events.
Task<> HttpStream::read_events(http::HttpTransfer& transfer) {
  llm::SseParser parser(kMaxNoteBytes);
  while (!is_stopped_) {
    const Result<std::optional<std::string>> bytes = co_await transfer.read(kMaxSilence);
    if (!bytes || !*bytes) co_return;
    const Result<std::vector<std::string>> events = parser.feed(**bytes);
    if (!events) co_return;
    if (parser.retry()) retry_.set_wish(*parser.retry());
    for (const std::string& data : *events) co_await take(data);
    if (!parser.last_event_id().empty()) last_event_id_ = parser.last_event_id();
  }
}

Task<> HttpStream::take(const std::string& data) {
  const std::optional<Json> message = llm::parse_json(data);
  if (!message || llm::text_member(*message, "method").empty()) co_return;
  if (message->contains("id")) {
    Envelope about = about_;
    about.deadline = endpoint_->clock().now() + kAnswerTime;
    co_await endpoint_->answer_call(*message, about);
  } else if (on_message_) {
    on_message_(*message);
  }
}

}  // namespace parley::mcp
