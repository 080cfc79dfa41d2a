// What the processes on the bus have in common, whatever they host: a runtime that connects and goes on trying by
// itself, a health page that tells of both, the line that says "ready", and an orderly end. Main thread, which becomes
// the loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/host/worker_health.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/worker_runtime.hpp"
#include "monitoring/metrics_server.hpp"

namespace parley::host {

struct BusProcessOptions {
  WorkerRuntimeOptions runtime;
  std::string metrics_address;
  std::uint16_t metrics_port = 0;
  /// None: a broker that is not there is waited for.
  std::optional<std::chrono::milliseconds> connect_timeout;
  /// Named in the ready line; none: the line does not speak of agents.
  std::vector<std::string> agents;
};

/// Declare it after what the runtime and the health page use: its end is theirs.
class BusProcess {
 public:
  /// SIGTERM and Ctrl-C are held back from now on. `io` and `clock` must outlive it.
  BusProcess(asio::io_context& io, const Clock& clock);
  BusProcess(const BusProcess&) = delete;
  BusProcess& operator=(const BusProcess&) = delete;

  /// Makes the runtime and serves the health page; `sources` are borrowed. Fails with `bad_configuration`. The other
  /// members are for after it.
  Result<> open(BusProcessOptions options, std::vector<const prometheus::Collectable*> sources);

  [[nodiscard]] Runtime& runtime() { return *runtime_; }
  [[nodiscard]] const Runtime& runtime() const { return *runtime_; }
  [[nodiscard]] std::uint16_t metrics_port() const { return server_->port(); }

  /// Starts the runtime. A broker that is not there is waited for: the log says so, the process goes on. With a
  /// `connect_timeout` it fails with `unreachable` after that.
  Task<Result<>> connect();
  /// To be called now and then: notes that the loop comes round, and tells when the broker has come or gone. The first
  /// time that it is there, standard output gets the ready line.
  /// True: it has come or gone since the last call.
  bool beat();
  [[nodiscard]] bool is_connected() const { return was_connected_; }

  /// Waits for SIGTERM or Ctrl-C, after which the process is not ready; the next one ends it at once, as people expect
  /// of a second Ctrl-C. The signal, or 0 when the wait was cancelled.
  Task<int> asked_to_stop();

 private:
  Result<> serve_health(std::vector<const prometheus::Collectable*> sources);
  void say_ready();

  asio::io_context& io_;
  const Clock& clock_;
  asio::signal_set signals_;
  WorkerHealth health_;
  BusProcessOptions options_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<monitoring::MetricsServer> server_;
  bool was_connected_ = false;
  bool has_said_ready_ = false;
};

}  // namespace parley::host
