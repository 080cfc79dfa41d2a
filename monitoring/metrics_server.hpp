// The health page of a process: GET /metrics (Prometheus text), /livez and /readyz on one port, bound to 127.0.0.1
// unless told otherwise. A thread of its own answers, so a busy process still tells how it is; requests are bounded in
// size, number and time. prometheus-cpp's Exposer cannot serve the two health paths, hence this small responder.
//
// Thread: start() and stop() from the owner's thread. Sources and probes are called on the server's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <prometheus/collectable.h>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"

namespace parley::monitoring {

/// Empty text: healthy. Anything else is the reason why not, and is answered with 503.
using HealthProbe = std::function<std::string()>;

struct MetricsServerOptions {
  std::string address = "127.0.0.1";
  /// Allows an address beyond loopback although nothing is encrypted.
  bool is_insecure_allowed = false;
  /// 0 lets the system choose; port() tells which.
  std::uint16_t port = 0;
  /// /livez: false means "restart me". Absent: alive while it answers.
  HealthProbe is_live;
  /// /readyz: false means "send me no work yet".
  HealthProbe is_ready;
};

/// Fails with `bad_configuration` when the address is no IPv4 address, or reaches beyond this machine and may not.
[[nodiscard]] Result<> check_address(const MetricsServerOptions& options);

class MetricsServer {
 public:
  /// Binds and starts the thread. Fails with `bad_configuration` when the address is refused or the port is taken; the
  /// message names them. Sources are borrowed and must outlive the server.
  static Result<std::unique_ptr<MetricsServer>> start(MetricsServerOptions options,
                                                      std::vector<const prometheus::Collectable*> sources,
                                                      const Clock& clock);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  /// Stops the thread.
  ~MetricsServer();

  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::monitoring
