// The runtime on the bus: one I/O thread owns the sockets (heartbeats go on while a handler is busy), the loop thread
// runs handlers. Construct, register, start; any number of brokers (shards), one connection each.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "libmsg/link/peer_link.hpp"
#include "libmsg/runtime/runtime.hpp"

namespace parley {

struct WorkerRuntimeOptions {
  /// For people, in `parley ps`.
  std::string name = "worker";
  /// One endpoint per shard, for example `ipc:///run/user/1000/parley/broker.sock` or `tcp://127.0.0.1:7700`.
  std::vector<std::string> brokers;
  /// Allows endpoints beyond loopback and ipc although nothing is encrypted.
  bool is_insecure_allowed = false;
  std::uint64_t credit_bytes = std::uint64_t{16} * 1024 * 1024;
  HostLimits limits{};
  /// A process that uses more is unhealthy; zero: no limit.
  std::uint64_t memory_limit_bytes = 0;
};

/// What a program says when start() found no broker in time: `unreachable`, with the endpoints and what to try.
[[nodiscard]] Error no_broker_answers(const std::vector<std::string>& endpoints, std::chrono::milliseconds waited);

/// The shape of WorkerRuntime is that of LocalRuntime: see runtime.hpp for every member.
[[nodiscard]] Result<std::unique_ptr<Runtime>> make_worker_runtime(asio::io_context& io, WorkerRuntimeOptions options);

}  // namespace parley
