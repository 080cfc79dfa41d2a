// The supervisor of one machine: reads the plan in the run directory, adopts what an earlier supervisor started,
// carries out the policy's decisions with the local driver, writes down what runs, and tells the bus, the log and the
// metrics page. Main thread, which becomes the loop thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/random.hpp"

namespace parley::supervisor {

struct SupervisorOptions {
  std::filesystem::path folder;  ///< absolute
  std::uint16_t metrics_port = 0;
  std::string metrics_address = "127.0.0.1";
  /// Allows more than loopback although nothing is encrypted; so does the plan.
  bool is_insecure_allowed = false;
  /// Adopts what runs and stops it.
  bool is_stop_only = false;
};

/// Runs until everything has been stopped: by SIGTERM or Ctrl-C, or because the watcher went and cannot be brought
/// back. Fails with `bad_configuration` (plan, folder, port) or `refused` (another supervisor runs there).
Result<> run_local_supervisor(const SupervisorOptions& options, const Clock& clock, Random& random);

}  // namespace parley::supervisor
