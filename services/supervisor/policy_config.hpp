// The numbers of the supervision policy. Values; any thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "libmsg/core/backoff.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::supervisor {

/// Who is restarted when a process fails.
enum class Strategy : std::uint8_t {
  one_for_one,   ///< that process
  rest_for_one,  ///< that process and every one that was started after it
};

/// Who starts a process again after it has ended.
enum class Starter : std::uint8_t {
  supervisor,  ///< this policy, by Action::start
  platform,    ///< something else (the kubelet); the policy only stops what is unhealthy
};

struct PolicyConfig {
  Strategy strategy = Strategy::one_for_one;
  Starter starter = Starter::supervisor;
  /// The first restart is at once; the second waits `first`, and so on.
  BackoffPolicy backoff{std::chrono::milliseconds(100), std::chrono::seconds(60)};
  /// After this long in good health earlier failures are forgotten.
  Duration healthy_reset = std::chrono::minutes(10);
  /// More failures than this within `crash_window` end in quarantine.
  std::uint32_t max_crashes = 5;
  Duration crash_window = std::chrono::minutes(5);
  /// A quarantined process gets one trial after this long.
  Duration probe_after = std::chrono::minutes(15);
  /// Processes that may be on their way up, or be stopped for their health, at the same time.
  std::uint32_t max_simultaneous = 4;
  /// Not ready by then: a failure.
  Duration start_timeout = std::chrono::seconds(30);
  /// From the request to stop to the kill: when an operator asked, when everything stops, when the process is sick. The
  /// first two are longer than a worker's own drain (20 s), and shorter than `parley down` waits (30 s).
  Duration drain_grace = std::chrono::seconds(25);
  Duration shutdown_grace = std::chrono::seconds(25);
  Duration sick_grace = std::chrono::milliseconds(500);
  /// An agent id that was executing in so many crashes is quarantined.
  std::uint32_t max_suspicions = 2;
};

}  // namespace parley::supervisor
