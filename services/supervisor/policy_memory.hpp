// What a policy remembers about failures, so that a supervisor that was killed does not count anew. Times are ages,
// since points of the monotonic clock mean nothing to another process. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"

namespace parley::supervisor {

struct CrashRecord {
  std::string process;
  std::vector<Duration> ages;  ///< of its latest failures, oldest first
  unsigned backoff = 0;        ///< how often its start has been put off since it was last healthy
  bool is_restarted_once = false;
  friend bool operator==(const CrashRecord&, const CrashRecord&) = default;
};

/// An agent id that was there when a worker failed.
struct Suspicion {
  std::string agent;
  Duration age{};  ///< of the first time
  std::uint32_t crashes = 0;
  friend bool operator==(const Suspicion&, const Suspicion&) = default;
};

struct PolicyMemory {
  std::vector<CrashRecord> crashes;
  std::vector<Suspicion> suspicions;

  /// So much time has passed since it was written down.
  void grow_older(Duration by) {
    for (CrashRecord& record : crashes) {
      for (Duration& age : record.ages) age += by;
    }
    for (Suspicion& suspicion : suspicions) suspicion.age += by;
  }
  friend bool operator==(const PolicyMemory&, const PolicyMemory&) = default;
};

}  // namespace parley::supervisor
