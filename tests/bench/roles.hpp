// The processes that a measurement is made of. Each role is one process: a host (broker, relay, nats-server), a worker
// that answers or counts, and a client that drives the load. The orchestrator (main.cpp) starts and stops them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tests/bench/driver.hpp"

namespace parley::bench {

enum class Pattern : std::uint8_t {
  round_trip,  ///< request and reply
  one_way,     ///< messages to one receiver, which confirms cumulatively now and then
  fan_out,     ///< events to many receivers
};

/// Receivers confirm one-way traffic once in this many messages, and when they run dry.
inline constexpr std::uint64_t kReceiptEvery = 64;

/// Turns "everything up to N has arrived" into single completions.
class CumulativeReceipts {
 public:
  void up_to(std::uint64_t sequence, const std::function<void(std::uint64_t)>& finished) {
    while (confirmed_ < sequence) finished(++confirmed_);
  }

 private:
  std::uint64_t confirmed_ = 0;
};

/// Counts what a receiver got, in order; the orchestrator compares it with what was sent.
struct Received {
  std::uint64_t last = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  void count(std::uint64_t sequence) {
    if (sequence <= last) {
      duplicated++;
      return;
    }
    lost += sequence - last - 1;
    last = sequence;
  }
};

/// Tells the orchestrator, on standard output, that this role serves, and where.
void announce_ready(const std::string& endpoint);

int run_relay();
int run_relay_worker(const std::string& endpoint, Pattern pattern, std::uint32_t connections);
std::unique_ptr<Transport> make_relay_client(const std::string& endpoint, Pattern pattern, std::size_t payload_bytes);

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
