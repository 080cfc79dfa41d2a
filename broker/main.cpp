// parley-broker: reads its options, starts, says where it listens, routes until it is told to stop.
// Exit status: 0 stopped in good order, 1 could not start or failed, 2 wrong flags or configuration.
#include <exception>
#include <iostream>
#include <spdlog/spdlog.h>

#include "broker/shell/broker_shell.hpp"
#include "broker/shell/options.hpp"
#include "broker/shell/stop_signals.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "monitoring/log.hpp"

namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

int report(const parley::Error& error) {
  std::cerr << "error: " << error.message << '\n';
  return error.code == parley::ErrorCode::bad_configuration ? kBadUsage : kFailed;
}

int run(int argc, char** argv) {
  auto options = parley::broker::read_options(argc, argv);
  if (!options) {
    (options.error().status == 0 ? std::cout : std::cerr) << options.error().text << '\n';
    return options.error().status;
  }
  if (auto log = parley::monitoring::set_up_log(options->log); !log) return report(log.error());

  parley::broker::StopSignals signals;
  const parley::SystemClock clock;
  parley::SystemRandom random;
  auto shell = parley::broker::BrokerShell::start(std::move(*options), signals, clock, random);
  if (!shell) return report(shell.error());
  std::cout << (*shell)->ready_line() << std::endl;
  (*shell)->run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "error: " << failure.what() << '\n';
    return kFailed;
  }
}
