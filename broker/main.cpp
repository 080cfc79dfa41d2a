// parley-broker: reads its options, starts, says where it listens, routes until it is told to stop.
// Exit status: 0 stopped in good order, 1 could not start or failed, 2 wrong flags or configuration.
#include <iostream>
#include <spdlog/spdlog.h>

#include "broker/shell/broker_shell.hpp"
#include "broker/shell/options.hpp"
#include "broker/shell/stop_signals.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "monitoring/log.hpp"
#include "services/config/program.hpp"

namespace {

int run(int argc, char** argv) {
  auto options = parley::broker::read_options(argc, argv);
  if (!options) return parley::config::end_early(options.error());
  if (auto log = parley::monitoring::set_up_log(options->log); !log) return parley::config::report(log.error());

  parley::broker::StopSignals signals;
  const parley::SystemClock clock;
  parley::SystemRandom random;
  auto shell = parley::broker::BrokerShell::start(std::move(*options), signals, clock, random);
  if (!shell) return parley::config::report(shell.error());
  std::cout << (*shell)->ready_line() << std::endl;
  (*shell)->run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return parley::config::run_program(argc, argv, run); }
