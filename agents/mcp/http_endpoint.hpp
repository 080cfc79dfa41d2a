// Where an MCP server of streamable HTTP is, which session there is with it, and how each request to it looks. Shared
// by the calls and by the stream of the server's own messages. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/http/http_transfer.hpp"
#include "agents/mcp/transport.hpp"

namespace parley::mcp {

struct HttpServerOptions {
  std::string url;
  bool is_loopback = false;
  std::vector<std::string> headers = {};  ///< `Name: value`; may be secret
  std::size_t max_response_bytes = std::size_t{32} * 1024 * 1024;
};

class HttpEndpoint {
 public:
  /// The clock must outlive it.
  HttpEndpoint(HttpServerOptions options, std::shared_ptr<http::CurlMulti> multi, const Clock& clock)
      : options_(std::move(options)), multi_(std::move(multi)), clock_(clock) {}

  [[nodiscard]] http::HttpRequest post(const Json& message, const Envelope& about) const;
  /// Asks for the stream of the server's own messages, from behind an event on.
  [[nodiscard]] http::HttpRequest get_stream(const Envelope& about, const std::string& last_event_id) const;
  /// Ends the session.
  [[nodiscard]] http::HttpRequest remove_session(const Envelope& about) const;

  [[nodiscard]] Task<Result<>> notify(Json message, const Envelope& about) const;
  /// Answers a request of a legacy server: nothing is offered, but somebody lives here.
  [[nodiscard]] Task<> answer_call(const Json& message, const Envelope& about) const;

  /// Of the legacy era; empty: none.
  [[nodiscard]] const std::string& session() const { return session_; }
  /// A name that no header can hold counts as none.
  void set_session(std::string_view session);
  [[nodiscard]] const std::shared_ptr<http::CurlMulti>& multi() const { return multi_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  [[nodiscard]] http::HttpRequest request(std::string method, const char* accept, const Envelope& about) const;

  HttpServerOptions options_;
  std::shared_ptr<http::CurlMulti> multi_;
  const Clock& clock_;
  std::string session_;
};

}  // namespace parley::mcp
