// parley-agent: reads its options, hosts the agents of its configuration until it is told to stop.
// Exit status: 0 drained and stopped, 1 failed, 2 wrong flags or configuration, 3 no broker in time.
#include "agents/host/worker_options.hpp"
#include "agents/host/worker_process.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "monitoring/log.hpp"
#include "services/config/program.hpp"

namespace {

int run(int argc, char** argv) {
  const auto options = parley::host::read_worker_options(argc, argv);
  if (!options) return parley::config::end_early(options.error());
  const auto log = parley::monitoring::set_up_log(options->log);
  if (!log) return parley::config::report(log.error());
  const parley::SystemClock clock;
  parley::SystemRandom random;
  const auto ended = parley::host::run_worker(*options, clock, random);
  return ended ? 0 : parley::config::report(ended.error());
}

}  // namespace

int main(int argc, char** argv) { return parley::config::run_program(argc, argv, run); }
