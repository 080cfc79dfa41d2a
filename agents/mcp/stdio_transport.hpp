// An MCP server as a child process: one JSON message a line on its standard input and output. A server that ends is
// started again by the next call, after a pause that grows with each failure. Loop thread only.
#pragma once

#include <asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "agents/mcp/child_process.hpp"
#include "agents/mcp/transport.hpp"
#include "libmsg/core/backoff.hpp"
#include "libmsg/core/random.hpp"

namespace parley::mcp {

class StdioTransport final : public Transport {
 public:
  /// `name` is that of the configuration, for messages. Executor, clock and random numbers must outlive it.
  StdioTransport(std::string name, ChildOptions options, asio::any_io_executor loop, const Clock& clock,
                 Random& random);
  /// Kills the server.
  ~StdioTransport() override;

  [[nodiscard]] Task<Result<>> open() override;
  [[nodiscard]] std::uint64_t connection() const override;
  [[nodiscard]] Task<Result<Json>> request(Json message, const Envelope& about) override;
  [[nodiscard]] Task<Result<>> notify(Json message, const Envelope& about) override;
  /// A child is heard from the beginning.
  void listen(const Envelope& /*about*/) override {}
  /// The server ends with this object.
  [[nodiscard]] Task<> close(const Envelope& /*about*/) override { co_return; }
  void set_events(TransportEvents events) override { events_ = std::move(events); }
  [[nodiscard]] bool is_process() const override { return true; }

 private:
  class Server;

  std::string name_;
  ChildOptions options_;
  asio::any_io_executor loop_;
  const Clock& clock_;
  Random& random_;
  TransportEvents events_;
  /// Shared with the coroutines that read from it.
  std::shared_ptr<Server> server_;
  std::uint64_t connections_ = 0;
  Backoff backoff_{{std::chrono::milliseconds(500), std::chrono::milliseconds(60'000)}};
  TimePoint not_before_{};
  TimePoint started_{};
  std::string failure_;  ///< the last one
};

}  // namespace parley::mcp
