// Told how the requests to an MCP server go: for metrics. Loop thread only.
#pragma once

#include <cstdint>
#include <string_view>

#include "agents/mcp/protocol.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"

namespace parley::mcp {

enum class RequestOutcome : std::uint8_t {
  ok,
  rejected,  ///< the server answered with an error of the protocol
  timeout,
  cancelled,
  unreachable,
  unauthorized,
  failed,  ///< anything else: HTTP errors, broken streams, too much at once
};

[[nodiscard]] RequestOutcome outcome_of(const Result<Json>& answer);

class ClientObserver {
 public:
  ClientObserver() = default;
  ClientObserver(const ClientObserver&) = delete;
  ClientObserver& operator=(const ClientObserver&) = delete;
  virtual ~ClientObserver() = default;

  virtual void on_request(std::string_view method, RequestOutcome outcome, Duration latency) = 0;
  /// A connection has been negotiated.
  virtual void on_negotiated() = 0;
  /// The server is there, or is not: when that changes.
  virtual void on_reachable(bool is_there) = 0;
};

}  // namespace parley::mcp
