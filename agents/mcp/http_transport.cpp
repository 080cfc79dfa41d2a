#include "agents/mcp/http_transport.hpp"

#include <utility>

#include "agents/llm/json_text.hpp"
#include "agents/llm/sse_parser.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::mcp {

namespace {

constexpr std::size_t kMaxErrorBytes = std::size_t{64} * 1024;
constexpr std::size_t kMaxEventBytes = std::size_t{32} * 1024 * 1024;

bool is_success(int status) { return status >= 200 && status < 300; }

std::string method_of(const Json& message) { return std::string(llm::text_member(message, "method")); }

/// An answer to this request: it has its id and no method.
bool is_answer(const Json& message, std::uint64_t id) {
  return !message.contains("method") && llm::count_member(message, "id") == id;
}

}  // namespace

HttpTransport::~HttpTransport() {
  if (stream_ != nullptr) stream_->stop();
}

Task<Result<>> HttpTransport::open() {
  stop_stream();
  endpoint_->set_session({});
  is_open_ = true;
  ++connections_;
  co_return Result<>{};
}

void HttpTransport::stop_stream() {
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->stop();
}

void HttpTransport::listen(const Envelope& about) {
  stop_stream();
  stream_ = std::make_shared<HttpStream>(endpoint_, about, random_, [this](const Json& message) {
    if (method_of(message) == kToolsChanged && events_.on_tools_changed) events_.on_tools_changed();
  });
  HttpStream::start(stream_);
}

Task<> HttpTransport::close(const Envelope& about) {
  stop_stream();
  is_open_ = false;
  if (endpoint_->session().empty()) co_return;
  http::HttpTransfer transfer(endpoint_->multi(), endpoint_->remove_session(about));
  endpoint_->set_session({});
  // Whether the server minds (405: it ends sessions by itself) or is there at all makes no difference any more.
  static_cast<void>(co_await transfer.read(about.deadline - clock_.now()));
}

Task<Result<Json>> HttpTransport::request(Json message, const Envelope& about) {
  const auto id = message.at("id").get<std::uint64_t>();
  const bool had_session = !endpoint_->session().empty();
  http::HttpTransfer transfer(endpoint_->multi(), endpoint_->post(message, about));
  Result<std::optional<std::string>> bytes = co_await transfer.read(about.deadline - clock_.now());
  if (!bytes) co_return fail(std::move(bytes).error());
  if (transfer.status() == 404 && had_session && about.era == Era::legacy) {
    is_open_ = false;
    stop_stream();
    co_return fail(Error(ErrorCode::unreachable, "the server has ended the session", true));
  }
  if (is_success(transfer.status()) && method_of(message) == "initialize") {
    endpoint_->set_session(transfer.header("mcp-session-id"));
  }
  std::string first = std::move(*bytes).value_or(std::string());
  const bool is_stream = ascii_lower(transfer.header("content-type")).starts_with("text/event-stream");
  if (is_stream && is_success(transfer.status())) co_return co_await read_events(transfer, std::move(first), id, about);
  co_return co_await read_whole(transfer, std::move(first), about);
}

Task<Result<Json>> HttpTransport::read_whole(http::HttpTransfer& transfer, std::string body, const Envelope& about) {
  const int status = transfer.status();
  while (is_success(status) || body.size() < kMaxErrorBytes) {
    Result<std::optional<std::string>> bytes = co_await transfer.read(about.deadline - clock_.now());
    if (!bytes) co_return fail(std::move(bytes).error());
    if (!*bytes) break;
    body += **bytes;
  }
  const std::optional<Json> answer = llm::parse_json(body);
  // Errors of the protocol come with 400 and 404, too, and their body says more than the status.
  const bool is_rpc = answer && answer->is_object() && (answer->contains("error") || answer->contains("result"));
  if (is_rpc && (is_success(status) || error_of(*answer))) co_return *answer;
  const std::string text = "the server answered with HTTP " + std::to_string(status);
  if (status == 401 || status == 403) co_return fail(ErrorCode::unauthorized, text);
  co_return fail(
      Error(ErrorCode::upstream_failed, text + (is_success(status) ? " and no JSON-RPC" : ""), status >= 500));
}

Task<Result<Json>> HttpTransport::read_events(http::HttpTransfer& transfer, std::string bytes, std::uint64_t id,
                                              const Envelope& about) {
  llm::SseParser parser(kMaxEventBytes);
  for (;;) {
    const Result<std::vector<std::string>> events = parser.feed(bytes);
    if (!events) co_return fail(ErrorCode::upstream_failed, events.error().message);
    Result<std::optional<Json>> answer = co_await take_events(*events, id, about);
    if (!answer) co_return fail(std::move(answer).error());
    if (*answer) co_return std::move(**answer);
    Result<std::optional<std::string>> more = co_await transfer.read(about.deadline - clock_.now());
    if (!more) co_return fail(std::move(more).error());
    if (!*more) break;
    bytes = std::move(**more);
  }
  const Result<std::vector<std::string>> events = parser.finish();
  if (events) {
    Result<std::optional<Json>> answer = co_await take_events(*events, id, about);
    if (answer && *answer) co_return std::move(**answer);
  }
  co_return fail(Error(ErrorCode::upstream_failed, "the server's stream ended without an answer", true));
}

Task<Result<std::optional<Json>>> HttpTransport::take_events(const std::vector<std::string>& events, std::uint64_t id,
                                                             const Envelope& about) {
  for (const std::string& data : events) {
    const std::optional<Json> message = llm::parse_json(data);
    if (!message || !message->is_object()) continue;
    if (is_answer(*message, id)) co_return *message;
    const std::string method = method_of(*message);
    if (about.on_progress) about.on_progress();
    if (method == kToolsChanged && events_.on_tools_changed) events_.on_tools_changed();
    if (!method.empty() && message->contains("id")) co_await endpoint_->answer_call(*message, about);
  }
  co_return std::nullopt;
}

Task<Result<>> HttpTransport::notify(Json message, const Envelope& about) {
  const std::shared_ptr<const HttpEndpoint> endpoint = endpoint_;
  co_return co_await endpoint->notify(std::move(message), about);
}

}  // namespace parley::mcp
