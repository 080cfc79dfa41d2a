// The stream that a legacy server may keep open for messages of its own (GET of streamable HTTP): read in the
// background, asked for again when it ends, from behind the last event that came. Loop thread only.
#pragma once

#include <asio/cancellation_signal.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "agents/mcp/http_endpoint.hpp"
#include "agents/mcp/stream_retry.hpp"
#include "libmsg/core/random.hpp"

namespace parley::mcp {

class HttpStream {
 public:
  /// `on_message` hears the notifications of the server; its requests are answered here. Nothing happens before
  /// start(). Random numbers must outlive it and its coroutine.
  HttpStream(std::shared_ptr<const HttpEndpoint> endpoint, Envelope about, Random& random,
             std::function<void(const Json& message)> on_message);

  /// The coroutine keeps `stream` alive until it has come to its end.
  static void start(const std::shared_ptr<HttpStream>& stream);
  /// Nobody is called any more; idempotent.
  void stop();

 private:
  static Task<> run(std::shared_ptr<HttpStream> self);
  [[nodiscard]] Task<StreamEnding> listen_once();
  [[nodiscard]] Task<> read_events(http::HttpTransfer& transfer);
  [[nodiscard]] Task<> take(const std::string& data);

  std::shared_ptr<const HttpEndpoint> endpoint_;  ///< shared with the transport
  Envelope about_;
  Random& random_;
  std::function<void(const Json&)> on_message_;
  asio::steady_timer pause_;
  asio::cancellation_signal cancel_;
  StreamRetry retry_;
  std::string last_event_id_;
  bool is_stopped_ = false;
};

}  // namespace parley::mcp
