// One MCP server, whatever its era: finds out how it speaks, lists its tools, calls them, brings its questions to
// people. Connects when it is first needed and again when the connection is lost. Loop thread only.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agents/mcp/client_observer.hpp"
#include "agents/mcp/transport.hpp"
#include "libmsg/runtime/context.hpp"

namespace parley::mcp {

struct ClientOptions {
  std::string name;  ///< in the configuration, for messages and questions
  std::chrono::milliseconds connect_timeout{30'000};
  /// For one answer while it is found out how the server speaks: old servers do not answer what they do not know.
  std::chrono::milliseconds probe_timeout{5'000};
  std::chrono::milliseconds question_timeout{600'000};  ///< for a person
};

/// What a server offers, as last heard.
struct Offer {
  std::vector<ToolInfo> tools;
  std::vector<std::string> dropped;
};

class Client {
 public:
  /// Clock and executor must outlive it.
  Client(ClientOptions options, std::unique_ptr<Transport> transport, asio::any_io_executor loop, const Clock& clock);

  /// The tools; asks when what is known has aged (by the server's own word) or was said to have changed. The same
  /// pointer: nothing has changed.
  [[nodiscard]] Task<Result<std::shared_ptr<const Offer>>> tools();
  /// Calls a tool. What the server asks meanwhile is asked of a person. Fails with `upstream_failed` for an error of
  /// the protocol; a tool's own failure is a result with is_error.
  [[nodiscard]] Task<Result<messages::ToolResult>> call(const ToolInfo& tool, const Json& arguments, Context& turn,
                                                        TimePoint deadline);
  /// Ends the session that the server keeps, if it keeps one; a later call begins anew.
  [[nodiscard]] Task<> stop(TimePoint deadline);
  /// Before the first call; empty: nobody is told.
  void set_observer(std::shared_ptr<ClientObserver> observer) { observer_ = std::move(observer); }
  [[nodiscard]] Era era() const { return era_; }

 private:
  class Gate;

  [[nodiscard]] Task<Result<>> ensure_connected();
  [[nodiscard]] Task<Result<>> connect();
  [[nodiscard]] Task<Result<Discovery>> discover();
  [[nodiscard]] Task<Result<>> initialize();
  [[nodiscard]] Task<Result<std::shared_ptr<const Offer>>> ask_tools();
  [[nodiscard]] Task<Result<Json>> exchange(std::string_view method, Json params, Envelope about);
  [[nodiscard]] Task<Result<Json>> answer_questions(const Json& questions, Context& turn);
  [[nodiscard]] Envelope envelope(TimePoint deadline) const;
  void note_connection(bool is_there);

  ClientOptions options_;
  std::unique_ptr<Transport> transport_;
  const Clock& clock_;
  /// Held while somebody connects or lists; the others wait for what comes of it.
  bool is_busy_ = false;
  asio::steady_timer free_;
  std::uint64_t next_id_ = 1;
  std::uint64_t connection_ = 0;              ///< that was negotiated on
  std::shared_ptr<ClientObserver> observer_;  ///< shared with whoever made it
  bool is_noted_as_connected_ = false;
  bool is_known_legacy_ = false;  ///< for the life of the object
  Era era_ = Era::modern;
  std::string version_;
  std::shared_ptr<const Offer> offer_;
  TimePoint fresh_until_{};
};

}  // namespace parley::mcp
