#include "agents/mcp/http_endpoint.hpp"

#include <algorithm>
#include <utility>

#include "agents/llm/json_text.hpp"

namespace parley::mcp {

http::HttpRequest HttpEndpoint::request(std::string method, const char* accept, const Envelope& about) const {
  http::HttpRequest made;
  made.method = std::move(method);
  made.url = options_.url;
  made.headers = {std::string("Accept: ") + accept};
  made.headers.insert(made.headers.end(), options_.headers.begin(), options_.headers.end());
  if (!about.version.empty()) made.headers.push_back("MCP-Protocol-Version: " + about.version);
  if (about.era == Era::legacy && !session_.empty()) made.headers.push_back("MCP-Session-Id: " + session_);
  made.max_response_bytes = options_.max_response_bytes;
  made.is_loopback = options_.is_loopback;
  // Streams may be silent while a tool works; the deadline of the call bounds it all.
  made.stall_timeout = std::chrono::hours(1);
  return made;
}

http::HttpRequest HttpEndpoint::post(const Json& message, const Envelope& about) const {
  http::HttpRequest made = request("POST", "application/json, text/event-stream", about);
  made.headers.emplace_back("Content-Type: application/json");
  const std::string_view method = llm::text_member(message, "method");
  if (about.era == Era::modern && !method.empty()) {
    made.headers.push_back("Mcp-Method: " + std::string(method));
    if (!about.tool_name.empty()) made.headers.push_back("Mcp-Name: " + header_text(about.tool_name));
    for (const auto& [name, value] : about.headers) made.headers.push_back(http::header_line(name, value));
  }
  made.body = llm::to_text(message);
  return made;
}

http::HttpRequest HttpEndpoint::get_stream(const Envelope& about, const std::string& last_event_id) const {
  http::HttpRequest made = request("GET", "text/event-stream", about);
  if (!last_event_id.empty()) made.headers.push_back("Last-Event-ID: " + last_event_id);
  return made;
}

http::HttpRequest HttpEndpoint::remove_session(const Envelope& about) const {
  return request("DELETE", "application/json", about);
}

Task<Result<>> HttpEndpoint::notify(Json message, const Envelope& about) const {
  http::HttpTransfer transfer(multi_, post(message, about));
  const Result<std::optional<std::string>> bytes = co_await transfer.read(about.deadline - clock_.now());
  if (!bytes) co_return fail(bytes.error());
  if (transfer.status() >= 200 && transfer.status() < 300) co_return Result<>{};
  co_return fail(ErrorCode::upstream_failed, "the server answered with HTTP " + std::to_string(transfer.status()));
}

Task<> HttpEndpoint::answer_call(const Json& message, const Envelope& about) const {
  Json answer = {{"jsonrpc", "2.0"}, {"id", message["id"]}};
  if (llm::text_member(message, "method") == "ping") {
    answer["result"] = Json::object();
  } else {
    answer["error"] = {{"code", kMethodNotFound}, {"message", "the client does not offer this"}};
  }
  static_cast<void>(co_await notify(std::move(answer), about));
}

void HttpEndpoint::set_session(std::string_view session) {
  const bool is_visible = std::ranges::all_of(session, [](char c) { return c > ' ' && c <= '~'; });
  session_ = is_visible ? session : std::string_view();
}

}  // namespace parley::mcp
