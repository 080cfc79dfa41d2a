// The load of `parley bench`: closed loop (always `window` requests under way) or open loop (a request every 1/rate
// seconds, whether or not the earlier ones are answered). Latencies of an open loop count from the intended time, so a
// stall shows in all requests that it delayed. Loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "libmsg/core/histogram.hpp"
#include "services/cli/bus_session.hpp"

namespace parley::cli {

struct BenchPlan {
  std::uint64_t window = 64;
  std::uint64_t rate = 0;  ///< 0: closed loop
  std::chrono::milliseconds duration{5000};
  /// Requests before the measurement.
  std::chrono::milliseconds warm_up{500};
  std::uint64_t payload_bytes = 100;
  std::chrono::milliseconds timeout{30'000};
};

struct BenchResult {
  Histogram latency_ns;  ///< of the successful ones
  std::map<std::string, std::uint64_t> failures;
  Duration elapsed{};

  [[nodiscard]] std::uint64_t failed() const;
  [[nodiscard]] double per_second() const;
};

Task<BenchResult> run_load(Bus& bus, const Target& target, const BenchPlan& plan);

}  // namespace parley::cli
