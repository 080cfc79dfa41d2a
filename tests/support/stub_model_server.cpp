#include "tests/support/stub_model_server.hpp"

#include <algorithm>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "tests/support/stub_bodies.hpp"

namespace parley::test {

namespace {

using asio::ip::tcp;
using nlohmann::json;

constexpr std::size_t kMaxRequestBytes = std::size_t{64} * 1024 * 1024;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

/// Reads the head `METHOD path HTTP/1.1\r\nname: value\r\n…\r\n\r\n`.
StubRequest parse_head(std::string_view head) {
  StubRequest request;
  const std::size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return request;
  request.method = line.substr(0, first);
  request.path = line.substr(first + 1, second - first - 1);
  head.remove_prefix(line_end + 2);
  for (std::size_t end = head.find("\r\n"); end != std::string_view::npos && end > 0; end = head.find("\r\n")) {
    const std::string_view header = head.substr(0, end);
    const std::size_t colon = header.find(':');
    if (colon != std::string_view::npos) {
      const std::size_t value = header.find_first_not_of(' ', colon + 1);
      request.headers.emplace_back(lower(std::string(header.substr(0, colon))),
                                   value == std::string_view::npos ? "" : header.substr(value));
    }
    head.remove_prefix(end + 2);
  }
  return request;
}

std::string chunk_frame(std::string_view content) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string size;
  for (std::size_t left = content.size(); left > 0; left /= 16) size.insert(size.begin(), kDigits[left % 16]);
  if (size.empty()) size = "0";
  return size.append("\r\n").append(content).append("\r\n");
}

/// The bytes on the wire, in the pieces in which they are sent.
std::vector<std::string> pieces_of(const StubReply& reply, StubDialect dialect, bool is_streamed) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Stub\r\n";
  for (const auto& [name, value] : reply.headers) head.append(name).append(": ").append(value).append("\r\n");
  const bool is_raw = !reply.raw_body.empty();
  std::string type = is_raw ? reply.content_type : "";
  if (type.empty()) type = is_streamed && reply.status == 200 ? "text/event-stream" : "application/json";
  head += "Content-Type: " + type + "\r\n";

  if (is_raw || !is_streamed || reply.status != 200) {
    const std::string body = is_raw ? reply.raw_body : whole_body(reply, dialect);
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    const std::size_t half = body.size() / 2;
    return {head + body.substr(0, half), body.substr(half)};
  }
  head += "Transfer-Encoding: chunked\r\n\r\n";
  std::vector<std::string> pieces;
  for (const std::string& event : stream_events(reply, dialect)) pieces.push_back(chunk_frame(event));
  pieces.front().insert(0, head);
  pieces.back() += chunk_frame("");
  return pieces;
}

}  // namespace

std::string_view StubRequest::header(std::string_view lower_name) const {
  const auto found = std::ranges::find(headers, lower_name, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

struct StubModelServer::State {
  explicit State(asio::io_context& loop)
      : io(loop), acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  static asio::awaitable<void> accept(std::shared_ptr<State> self);
  static asio::awaitable<void> serve(std::shared_ptr<State> self, std::shared_ptr<tcp::socket> socket,
                                     std::size_t number);
  /// True when the connection can take another request.
  asio::awaitable<bool> answer(tcp::socket& socket, const StubRequest& request, std::chrono::milliseconds late);
  /// Completes when the client closes the connection.
  asio::awaitable<void> wait_for_close(tcp::socket& socket);
  StubReply next_reply(const StubRequest& request);

  asio::io_context& io;
  tcp::acceptor acceptor;
  std::set<std::shared_ptr<tcp::socket>> sockets;
  std::deque<StubReply> replies;
  StubReply default_reply;
  std::function<void(const StubRequest&)> observer;
  std::function<StubReply(const StubRequest&)> responder;
  std::vector<StubRequest> requests;
  bool is_keeping_requests = true;
  std::chrono::milliseconds stagger{0};

  /// Spread evenly whatever the number of connections: by the golden ratio.
  [[nodiscard]] std::chrono::milliseconds lateness_of(std::size_t connection) const {
    const double share = std::fmod(static_cast<double>(connection) * 0.6180339887498949, 1.0);
    return std::chrono::milliseconds(static_cast<std::int64_t>(share * static_cast<double>(stagger.count())));
  }
  std::size_t abandoned = 0;
};

StubModelServer::StubModelServer(asio::io_context& io) : state_(std::make_shared<State>(io)) {
  asio::co_spawn(io, State::accept(state_), asio::detached);
}

StubModelServer::~StubModelServer() {
  asio::error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& socket : state_->sockets) socket->close(ignored);
}

std::uint16_t StubModelServer::port() const { return state_->acceptor.local_endpoint().port(); }
std::string StubModelServer::base_url() const { return "http://127.0.0.1:" + std::to_string(port()) + "/v1"; }
void StubModelServer::push(StubReply reply) { state_->replies.push_back(std::move(reply)); }
void StubModelServer::set_default(StubReply reply) { state_->default_reply = std::move(reply); }
void StubModelServer::set_observer(std::function<void(const StubRequest&)> observer) {
  state_->observer = std::move(observer);
}
void StubModelServer::set_responder(std::function<StubReply(const StubRequest&)> responder) {
  state_->responder = std::move(responder);
}
void StubModelServer::set_stagger(std::chrono::milliseconds most) { state_->stagger = most; }
void StubModelServer::keep_no_requests() { state_->is_keeping_requests = false; }
const std::vector<StubRequest>& StubModelServer::requests() const { return state_->requests; }
std::size_t StubModelServer::abandoned() const { return state_->abandoned; }

asio::awaitable<void> StubModelServer::State::accept(std::shared_ptr<State> self) {
  for (std::size_t number = 1;; ++number) {
    asio::error_code error;
    auto socket = std::make_shared<tcp::socket>(self->io);
    co_await self->acceptor.async_accept(*socket, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    socket->set_option(tcp::no_delay(true), error);
    self->sockets.insert(socket);
    asio::co_spawn(self->io, serve(self, socket, number), asio::detached);
  }
}

asio::awaitable<void> StubModelServer::State::serve(std::shared_ptr<State> self, std::shared_ptr<tcp::socket> socket,
                                                    std::size_t number) {
  using namespace std::chrono_literals;
  std::string input;
  bool is_open = true;
  bool is_first = true;
  while (is_open) {
    asio::error_code error;
    const std::size_t head_bytes =
        co_await asio::async_read_until(*socket, asio::dynamic_buffer(input, kMaxRequestBytes), "\r\n\r\n",
                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    StubRequest request = parse_head(std::string_view(input).substr(0, head_bytes));
    request.connection = number;
    input.erase(0, head_bytes);
    const std::string length(request.header("content-length"));
    const std::size_t body_bytes = length.empty() ? 0 : std::stoul(length);
    if (input.size() < body_bytes) {
      co_await asio::async_read(*socket, asio::dynamic_buffer(input, kMaxRequestBytes),
                                asio::transfer_exactly(body_bytes - input.size()),
                                asio::redirect_error(asio::use_awaitable, error));
      if (error) break;
    }
    request.body = input.substr(0, body_bytes);
    input.erase(0, body_bytes);
    if (self->is_keeping_requests) self->requests.push_back(request);
    if (self->observer) self->observer(request);
    const std::chrono::milliseconds late = std::exchange(is_first, false) ? self->lateness_of(number) : 0ms;
    is_open = co_await self->answer(*socket, request, late);
  }
  asio::error_code ignored;
  socket->close(ignored);
  self->sockets.erase(socket);
}

asio::awaitable<bool> StubModelServer::State::answer(tcp::socket& socket, const StubRequest& request,
                                                     std::chrono::milliseconds late) {
  const StubReply reply = next_reply(request);
  const json body = json::parse(request.body, nullptr, false);
  const bool is_streamed = body.is_object() && body.value("stream", false);
  const StubDialect dialect = request.path.ends_with("/messages") ? StubDialect::anthropic : StubDialect::openai;
  std::vector<std::string> pieces = pieces_of(reply, dialect, is_streamed);
  if (reply.ending != StubReply::Ending::complete) {
    // The first piece is the head with an empty delta.
    const std::size_t count =
        reply.pieces_before_ending == 0 ? 0 : reply.pieces_before_ending + (pieces.size() > 2 ? 1 : 0);
    pieces.resize(std::min(pieces.size(), count));
  }

  asio::steady_timer timer(io);
  asio::error_code error;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (const auto wait = i == 0 ? reply.delay + late : reply.piece_interval; wait.count() > 0) {
      timer.expires_after(wait);
      co_await timer.async_wait(asio::use_awaitable);
    }
    co_await asio::async_write(socket, asio::buffer(pieces[i]), asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      ++abandoned;
      co_return false;
    }
  }
  if (reply.ending == StubReply::Ending::stall) co_await wait_for_close(socket);
  co_return reply.ending == StubReply::Ending::complete;
}

asio::awaitable<void> StubModelServer::State::wait_for_close(tcp::socket& socket) {
  char byte = 0;
  asio::error_code error;
  co_await socket.async_read_some(asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, error));
  if (error && error != asio::error::operation_aborted) ++abandoned;
}

StubReply StubModelServer::State::next_reply(const StubRequest& request) {
  if (replies.empty()) return responder ? responder(request) : default_reply;
  StubReply reply = std::move(replies.front());
  replies.pop_front();
  return reply;
}

}  // namespace parley::test
