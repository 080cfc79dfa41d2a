// The life of a worker process: connect, host, report health, drain on SIGTERM or Ctrl-C. A broker that is not there
// (yet, or any more) is waited for; the process stays alive and not ready. Main thread, which becomes the loop thread.
#pragma once

#include "agents/host/worker_options.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/random.hpp"

namespace parley::host {

/// Runs until it is told to stop, and has drained then. Fails before the loop runs with `bad_configuration` (endpoint,
/// metrics port, a missing key) or later when an agent type cannot be registered.
Result<> run_worker(const WorkerOptions& options, const Clock& clock, Random& random);

}  // namespace parley::host
