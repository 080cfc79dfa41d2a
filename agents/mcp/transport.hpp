// How messages reach an MCP server: through the pipes of a child process, or by HTTP. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agents/mcp/protocol.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::mcp {

/// What goes with a message beside itself: HTTP has headers for it.
struct Envelope {
  Era era = Era::modern;
  std::string version;    ///< negotiated; empty before that
  std::string tool_name;  ///< of tools/call
  std::vector<std::pair<std::string, std::string>> headers = {};
  TimePoint deadline;
  /// Called when the server reports progress.
  std::function<void()> on_progress = {};
};

/// What a server does of its own accord.
struct TransportEvents {
  std::function<void()> on_tools_changed = {};
  std::function<void()> on_lost = {};  ///< the connection is gone
};

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Makes the way to the server: starts the process. Each success is a new connection with a new number, and what was
  /// negotiated on the old one is void. Fails with `unreachable`, and with `overloaded` while it waits after a failure.
  [[nodiscard]] virtual Task<Result<>> open() = 0;
  /// Of the connection that stands; 0 when none does.
  [[nodiscard]] virtual std::uint64_t connection() const = 0;
  /// Sends a request and waits for its answer (with `result` or `error`). Fails with `timeout`, `cancelled`,
  /// `unreachable`, `upstream_failed`. The server is told when nobody waits any more.
  [[nodiscard]] virtual Task<Result<Json>> request(Json message, const Envelope& about) = 0;
  [[nodiscard]] virtual Task<Result<>> notify(Json message, const Envelope& about) = 0;
  /// Once a legacy server is initialized: from now on it is heard, too, while nobody asks.
  virtual void listen(const Envelope& about) = 0;
  /// Nobody will ask any more: ends what the server keeps for us, within the deadline. A later open() begins anew.
  [[nodiscard]] virtual Task<> close(const Envelope& about) = 0;
  virtual void set_events(TransportEvents events) = 0;
  /// True when an unknown question may have ended the server, so that it must be opened anew.
  [[nodiscard]] virtual bool is_process() const = 0;
};

}  // namespace parley::mcp
