// A small model server on 127.0.0.1 that does what a test tells it, by OpenAI's interface or (at `/messages`) by
// Anthropic's: answer, stream, fail, stall, cut the stream, send nonsense. Runs on the io_context it is given;
// everything is called on that loop's thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::test {

struct StubToolCall {
  std::string id;
  std::string name;
  std::string arguments;  ///< JSON text
};

/// How the stub answers one request.
struct StubReply {
  enum class Ending : std::uint8_t {
    complete,  ///< as the protocol wants it
    cut,       ///< the connection closes in the middle
    stall,     ///< nothing more comes, and the connection stays open until the client closes it
  };

  int status = 200;
  /// Further headers of the answer.
  std::vector<std::pair<std::string, std::string>> headers;
  /// The completion's text. Streamed if the request asks for it.
  std::string text = "Hello from the stub.";
  /// Tools that the completion wants used; their arguments are streamed in pieces like the text.
  std::vector<StubToolCall> tool_calls = {};
  /// What the model thinks before it answers; only Anthropic's interface shows it.
  std::string thinking = {};
  /// Sent instead of a completion when not empty.
  std::string raw_body;
  std::string content_type;  ///< of raw_body; empty: JSON, or an event stream if the request asks for one
  std::size_t chunk_bytes = 5;
  bool has_usage = true;
  Ending ending = Ending::complete;
  /// With cut and stall: pieces of the text that arrive before. With 0 not even a status arrives.
  std::size_t pieces_before_ending = 1;
  /// Before the answer begins, and between its pieces.
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds piece_interval{0};
};

/// What a client sent.
struct StubRequest {
  std::string method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
  /// Which connection it came on, counted from 1.
  std::size_t connection = 0;

  /// The value of a header by its lower-case name, or an empty text.
  [[nodiscard]] std::string_view header(std::string_view lower_name) const;
};

class StubModelServer {
 public:
  /// Listens on a free port. `io` must outlive the server.
  explicit StubModelServer(asio::io_context& io);
  StubModelServer(const StubModelServer&) = delete;
  StubModelServer& operator=(const StubModelServer&) = delete;
  /// Stops listening and closes every connection.
  ~StubModelServer();

  [[nodiscard]] std::uint16_t port() const;
  /// `http://127.0.0.1:PORT/v1`
  [[nodiscard]] std::string base_url() const;

  /// The next requests are answered by these, one each, in order; then by the default reply.
  void push(StubReply reply);
  /// Asked for the reply to every request that push() has none for.
  void set_responder(std::function<StubReply(const StubRequest&)> responder);
  void set_default(StubReply reply);
  /// The first answer on each connection comes up to so much later than its reply says, each a different time, so that
  /// clients under load do not run in step.
  void set_stagger(std::chrono::milliseconds most);
  /// From now on requests() stays as it is: for load.
  void keep_no_requests();
  /// Called for every request before it is answered.
  void set_observer(std::function<void(const StubRequest&)> observer);

  [[nodiscard]] const std::vector<StubRequest>& requests() const;
  /// Connections that the client has closed before their answer was complete.
  [[nodiscard]] std::size_t abandoned() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< shared with the connections, whose coroutines end after the server
};

}  // namespace parley::test
