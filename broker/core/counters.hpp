// What the broker counts since it started. README.md has the table of the names under which they appear. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "libmsg/core/error.hpp"

namespace parley::broker {

struct Counters {
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t requests = 0;
  std::uint64_t sends = 0;
  std::uint64_t events = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t replies = 0;
  std::uint64_t parts = 0;
  std::uint64_t errors = 0;
  std::uint64_t cancels = 0;
  std::uint64_t done = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t overloaded = 0;
  std::uint64_t worker_lost = 0;
  std::uint64_t stale_replies = 0;
  std::uint64_t invalid_frames = 0;
  std::uint64_t unknown_kinds = 0;
  std::uint64_t resets = 0;
  std::uint64_t discarded_frames = 0;
  std::uint64_t sessions_opened = 0;
  std::uint64_t sessions_lost = 0;
  std::uint64_t activations_started = 0;
  std::uint64_t evictions = 0;
  std::uint64_t parkings = 0;
  std::uint64_t pauses = 0;
  std::uint64_t heartbeats = 0;
  /// How messages ended, by error code; 0 is success, the last one whatever newer peers say.
  std::array<std::uint64_t, 32> outcomes{};

  void count_success() { outcomes[0]++; }
  void count_outcome(ErrorCode code) {
    const auto number = static_cast<std::size_t>(code);
    outcomes[number == 0 ? outcomes.size() - 1 : std::min(number, outcomes.size() - 1)]++;
  }
};

}  // namespace parley::broker
