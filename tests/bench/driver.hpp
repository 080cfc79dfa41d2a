// How every system is measured: one closed-loop and one open-loop driver over a small transport interface, so that the
// numbers of Parley, the plain relay and NATS come from the same code. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "libmsg/core/histogram.hpp"

namespace parley::bench {

/// One client connection to the system under test.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;
  /// Starts message number `sequence`; may buffer until pump().
  virtual void send(std::uint64_t sequence) = 0;
  /// Ships what is buffered, waits up to `timeout` for something to arrive and reports each finished sequence number.
  virtual void pump(std::chrono::microseconds timeout, const std::function<void(std::uint64_t)>& finished) = 0;
};

struct Load {
  std::uint32_t window = 1;     ///< most messages under way
  double rate = 0;              ///< per second; 0 means closed loop
  double seconds = 1.0;         ///< measured time
  double warmup_seconds = 0.2;  ///< before it, not counted
  double drain_seconds = 5.0;   ///< how long the last replies may take before they count as lost
};

struct Outcome {
  std::uint64_t sent = 0;      ///< warm-up included
  std::uint64_t finished = 0;  ///< in the measured time
  double seconds = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
};

/// Runs the load. Latency is taken from the intended send time (open loop) or the send call (closed loop).
Outcome run_load(Transport& transport, const Load& load);

}  // namespace parley::bench
