// The processes that a measurement is made of. Each role is one process: a host (broker, relay, nats-server), a worker
// that answers or counts, and a client that drives the load. The orchestrator (main.cpp) starts and stops them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/bench/driver.hpp"
#include "tests/bench/receipts.hpp"

namespace parley::bench {

enum class Pattern : std::uint8_t {
  round_trip,  ///< request and reply
  one_way,     ///< messages to one receiver, which confirms cumulatively now and then
  fan_out,     ///< events to many receivers
};

/// Tells the orchestrator, on standard output, that this role serves, and where.
void announce_ready(const std::string& endpoint);

int run_relay();
int run_relay_worker(const std::string& endpoint, Pattern pattern, std::uint32_t connections);
std::unique_ptr<Transport> make_relay_client(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes);
/// Round trips through the same relay and its worker, in bundles that they pass on unread: the transport's ceiling.
std::unique_ptr<Transport> make_bundling_relay_client(const std::string& endpoint, std::size_t payload_bytes);

/// Link level: PeerLink on a DEALER, no agent code.
int run_link_worker(const std::string& endpoint, Pattern pattern, std::uint32_t connections);
std::unique_ptr<Transport> make_link_client(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes);

/// Runtime level: typed agent with a coroutine handler, client coroutines.
enum class Metrics : std::uint8_t { off, on };
/// With metrics: every turn is observed, and everything is collected once a second, as by a scrape.
int run_runtime_worker(const std::string& endpoint, Metrics metrics);
/// Closed loop by `window` client coroutines.
Outcome run_runtime_client(const std::string& endpoint, std::size_t payload_bytes, const Load& load);

/// NATS by its C client; both return 2 at once when the build has none.
int run_nats_worker(const std::string& endpoint, Pattern pattern, std::uint32_t connections, std::uint32_t window);
std::unique_ptr<Transport> make_nats_client(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes,
                                            std::uint32_t window);
[[nodiscard]] bool is_nats_built_in();

}  // namespace parley::bench
