#include "agents/mcp/client.hpp"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "agents/mcp/elicitation.hpp"
#include "monitoring/log.hpp"

namespace parley::mcp {

using llm::member;
using llm::text_member;
using messages::ToolResult;
using monitoring::log_text;

namespace {

constexpr std::size_t kMaxPages = 50;
constexpr std::size_t kMaxTools = 500;
constexpr std::size_t kMaxRounds = 8;
constexpr std::chrono::milliseconds kDefaultTtl{60'000};
constexpr std::chrono::milliseconds kMinTtl{1'000};
constexpr std::chrono::milliseconds kMaxTtl{3'600'000};

Error protocol_error(const std::string& server, const RpcError& error) {
  return {ErrorCode::upstream_failed, server + ": " + text_of(error), false};
}

bool same_offer(const Offer& a, const Offer& b) {
  return std::ranges::equal(a.tools, b.tools, [](const ToolInfo& x, const ToolInfo& y) {
    return x.name == y.name && x.description == y.description && x.schema == y.schema;
  });
}

}  // namespace

/// Lets one coroutine at a time through; frees itself when the coroutine ends, whatever way.
class Client::Gate {
 public:
  static Task<std::unique_ptr<Gate>> enter(Client& client) {
    while (client.is_busy_) {
      asio::error_code error;
      co_await client.free_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
      if (cancellation.cancelled() != asio::cancellation_type::none) co_return nullptr;
    }
    co_return std::make_unique<Gate>(client);
  }
  explicit Gate(Client& client) : client_(client) { client_.is_busy_ = true; }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() {
    client_.is_busy_ = false;
    client_.free_.cancel();
  }

 private:
  Client& client_;
};

Client::Client(ClientOptions options, std::unique_ptr<Transport> transport, asio::any_io_executor loop,
               const Clock& clock)
    : options_(std::move(options)),
      transport_(std::move(transport)),
      clock_(clock),
      free_(loop, asio::steady_timer::time_point::max()) {
  TransportEvents events;
  events.on_tools_changed = [this] { fresh_until_ = TimePoint{}; };
  events.on_lost = [this] { note_connection(false); };
  transport_->set_events(std::move(events));
}

void Client::note_connection(bool is_there) {
  const bool is_news = std::exchange(is_noted_as_connected_, is_there) != is_there;
  if (is_news && observer_ != nullptr) observer_->on_reachable(is_there);
}

Task<> Client::stop(TimePoint deadline) {
  connection_ = 0;
  note_connection(false);
  const Envelope about = envelope(deadline);
  co_await transport_->close(about);
}

Envelope Client::envelope(TimePoint deadline) const {
  Envelope about;
  about.era = era_;
  about.version = version_;
  about.deadline = deadline;
  return about;
}

Task<Result<Json>> Client::exchange(std::string_view method, Json params, Envelope about) {
  Json message = make_request(next_id_++, method, std::move(params), about.era);
  const TimePoint asked = clock_.now();
  Result<Json> answer = co_await transport_->request(std::move(message), about);
  if (observer_ != nullptr) observer_->on_request(method, outcome_of(answer), clock_.now() - asked);
  if (answer && connection_ != 0) note_connection(true);
  if (!answer && answer.error().code == ErrorCode::unreachable) note_connection(false);
  co_return answer;
}

Task<Result<>> Client::ensure_connected() {
  if (connection_ != 0 && transport_->connection() == connection_) co_return Result<>{};
  const std::unique_ptr<Gate> gate = co_await Gate::enter(*this);
  if (gate == nullptr) co_return fail(ErrorCode::cancelled, "the call was cancelled");
  if (connection_ != 0 && transport_->connection() == connection_) co_return Result<>{};
  Result<> connected = co_await connect();
  if (!connected) connected.error().message = options_.name + ": " + connected.error().message;
  co_return connected;
}

Task<Result<>> Client::connect() {
  connection_ = 0;
  note_connection(false);
  // Behind an URL a new connection costs nothing, and forgets the session of one that failed half way.
  if (transport_->connection() == 0 || !transport_->is_process()) {
    Result<> opened = co_await transport_->open();
    if (!opened) co_return opened;
  }
  version_.clear();
  Discovery discovery = Discovery::legacy;
  if (!is_known_legacy_) {
    Result<Discovery> found = co_await discover();
    if (!found) co_return fail(std::move(found).error());
    discovery = *found;
  }
  if (discovery == Discovery::no_version) {
    co_return fail(
        Error(ErrorCode::upstream_failed, "the server speaks no version of the protocol that is known here", false));
  }
  if (discovery == Discovery::modern) {
    era_ = Era::modern;
    version_ = kModernVersion;
  } else {
    is_known_legacy_ = true;
    if (transport_->connection() == 0) {
      // Some old servers end when they hear something before `initialize`.
      Result<> again = co_await transport_->open();
      if (!again) co_return again;
    }
    Result<> initialized = co_await initialize();
    if (!initialized) co_return initialized;
  }
  connection_ = transport_->connection();
  fresh_until_ = TimePoint{};
  note_connection(true);
  if (observer_ != nullptr) observer_->on_negotiated();
  spdlog::info("event=mcp_connected server={} era={} version={}", log_text(options_.name),
               era_ == Era::modern ? "modern" : "legacy", log_text(version_));
  co_return Result<>{};
}

Task<Result<Discovery>> Client::discover() {
  era_ = Era::modern;
  Envelope about = envelope(clock_.now() + options_.probe_timeout);
  about.version = kModernVersion;
  Result<Json> answer = co_await exchange("server/discover", Json::object(), std::move(about));
  if (answer) co_return discovery_of(*answer);
  // Whatever else went wrong (no answer, an HTTP error, the end of the process), an old server may be behind it.
  const ErrorCode code = answer.error().code;
  const bool is_hopeless = code == ErrorCode::cancelled || code == ErrorCode::unauthorized ||
                           (code == ErrorCode::unreachable && !transport_->is_process());
  if (is_hopeless) co_return fail(std::move(answer).error());
  co_return Discovery::legacy;
}

Task<Result<>> Client::initialize() {
  era_ = Era::legacy;
  const TimePoint deadline = clock_.now() + options_.connect_timeout;
  Result<Json> answer = co_await exchange("initialize", initialize_params(), envelope(deadline));
  if (!answer) {
    // The next attempt asks from the beginning: what was taken for an old server may have been a broken one.
    is_known_legacy_ = transport_->is_process();
    co_return fail(std::move(answer).error());
  }
  if (const auto error = error_of(*answer)) co_return fail(ErrorCode::upstream_failed, text_of(*error));
  version_ = text_member(member(*answer, "result"), "protocolVersion");
  if (!is_legacy_version(version_)) {
    co_return fail(Error(ErrorCode::upstream_failed,
                         "the server wants version '" + version_ + "', which is not known here", false));
  }
  Json ready = make_notification("notifications/initialized", nullptr);
  Result<> told = co_await transport_->notify(std::move(ready), envelope(deadline));
  if (told) transport_->listen(envelope(deadline));
  co_return told;
}

Task<Result<std::shared_ptr<const Offer>>> Client::tools() {
  Result<> connected = co_await ensure_connected();
  if (!connected) co_return fail(std::move(connected).error());
  if (offer_ != nullptr && clock_.now() < fresh_until_) co_return offer_;
  const std::unique_ptr<Gate> gate = co_await Gate::enter(*this);
  if (gate == nullptr) co_return fail(ErrorCode::cancelled, "the call was cancelled");
  if (offer_ != nullptr && clock_.now() < fresh_until_) co_return offer_;
  co_return co_await ask_tools();
}

Task<Result<std::shared_ptr<const Offer>>> Client::ask_tools() {
  const TimePoint deadline = clock_.now() + options_.connect_timeout;
  auto offer = std::make_shared<Offer>();
  Json params = Json::object();
  std::chrono::milliseconds ttl = kDefaultTtl;
  for (std::size_t page_number = 0; page_number < kMaxPages; ++page_number) {
    Result<Json> answer = co_await exchange("tools/list", params, envelope(deadline));
    if (!answer) co_return fail(std::move(answer).error());
    if (const auto error = error_of(*answer)) co_return fail(protocol_error(options_.name, *error));
    Result<ToolPage> page = tool_page_of(member(*answer, "result"));
    if (!page) co_return fail(std::move(page).error());
    if (page->ttl_ms) ttl = std::chrono::milliseconds(std::min<std::uint64_t>(*page->ttl_ms, 3'600'000));
    std::ranges::move(page->tools, std::back_inserter(offer->tools));
    std::ranges::move(page->dropped, std::back_inserter(offer->dropped));
    if (page->next_cursor.empty() || offer->tools.size() > kMaxTools) break;
    params = {{"cursor", page->next_cursor}};
  }
  if (offer->tools.size() > kMaxTools) {
    offer->dropped.push_back(std::to_string(offer->tools.size() - kMaxTools) + " tools beyond the first " +
                             std::to_string(kMaxTools));
    offer->tools.resize(kMaxTools);
  }
  fresh_until_ = clock_.now() + std::clamp(ttl, kMinTtl, kMaxTtl);
  if (offer_ == nullptr || !same_offer(*offer_, *offer)) {
    for (const std::string& each : offer->dropped) {
      spdlog::warn("event=mcp_tool_left_out server={} tool={}", log_text(options_.name), log_text(each));
    }
    offer_ = std::move(offer);
  }
  co_return offer_;
}

Task<Result<ToolResult>> Client::call(const ToolInfo& tool, const Json& arguments, Context& turn, TimePoint deadline) {
  Json params = {{"name", tool.name}, {"arguments", arguments}};
  std::vector<HeaderParameter> headers = tool.headers;
  bool has_listed_anew = false;
  bool has_connected_anew = false;
  for (std::size_t round = 0; round < kMaxRounds; ++round) {
    Result<> connected = co_await ensure_connected();
    if (!connected) co_return fail(std::move(connected).error());
    Envelope about = envelope(deadline);
    about.tool_name = tool.name;
    about.headers = header_values(headers, arguments);
    about.on_progress = [&turn] { turn.report_progress(); };
    Result<Json> answer = co_await exchange("tools/call", params, std::move(about));
    // A session that the server has ended refuses the call before anything is done.
    const bool is_session_over = !answer && !transport_->is_process() && transport_->connection() == 0;
    if (is_session_over && !std::exchange(has_connected_anew, true)) continue;
    if (!answer) co_return fail(std::move(answer).error());
    if (const auto error = error_of(*answer)) {
      // The server's schema has other headers by now.
      if (error->code == kHeaderMismatch && !std::exchange(has_listed_anew, true)) {
        fresh_until_ = TimePoint{};
        const Result<std::shared_ptr<const Offer>> listed = co_await tools();
        if (!listed) co_return fail(listed.error());
        const auto found = std::ranges::find((*listed)->tools, tool.name, &ToolInfo::name);
        if (found == (*listed)->tools.end()) co_return fail(protocol_error(options_.name, *error));
        headers = found->headers;
        continue;
      }
      co_return fail(protocol_error(options_.name, *error));
    }
    const Json& result = member(*answer, "result");
    if (text_member(result, "resultType") != "input_required") co_return tool_result_of(result);
    Result<Json> responses = co_await answer_questions(member(result, "inputRequests"), turn);
    if (!responses) co_return fail(std::move(responses).error());
    params["inputResponses"] = std::move(*responses);
    params.erase("requestState");
    if (result.contains("requestState")) params["requestState"] = result["requestState"];
  }
  co_return fail(ErrorCode::upstream_failed, options_.name + ": the server asks without end");
}

Task<Result<Json>> Client::answer_questions(const Json& questions, Context& turn) {
  Json responses = Json::object();
  if (!questions.is_object()) co_return responses;
  for (const auto& entry : questions.items()) {
    if (text_member(entry.value(), "method") != "elicitation/create") {
      co_return fail(ErrorCode::upstream_failed, options_.name + ": the server asks for '" +
                                                     std::string(text_member(entry.value(), "method")) +
                                                     "', which is not offered");
    }
    const Json& params = member(entry.value(), "params");
    Result<Json> answer = co_await elicit(options_.name, params, options_.question_timeout, turn);
    if (!answer) co_return fail(std::move(answer).error());
    responses[entry.key()] = std::move(*answer);
  }
  co_return responses;
}

}  // namespace parley::mcp
