// parley-agent: reads its options, hosts the agents of its configuration until it is told to stop.
// Exit status: 0 drained and stopped, 1 failed, 2 wrong flags or configuration.
#include <exception>
#include <iostream>

#include "agents/host/worker_options.hpp"
#include "agents/host/worker_process.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "monitoring/log.hpp"
#include "services/config/problems.hpp"

namespace {

constexpr int kFailed = 1;

int report(const parley::Error& error) {
  std::cerr << "error: " << error.message << '\n';
  return error.code == parley::ErrorCode::bad_configuration ? parley::config::kBadConfigurationExit : kFailed;
}

int run(int argc, char** argv) {
  const auto options = parley::host::read_worker_options(argc, argv);
  if (!options) {
    (options.error().status == 0 ? std::cout : std::cerr) << options.error().text << '\n';
    return options.error().status;
  }
  const auto log = parley::monitoring::set_up_log(options->log);
  if (!log) return report(log.error());
  const parley::SystemClock clock;
  parley::SystemRandom random;
  const auto ended = parley::host::run_worker(*options, clock, random);
  return ended ? 0 : report(ended.error());
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
