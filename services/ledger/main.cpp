// parley-ledger: reads its options, keeps the budgets until it is told to stop.
// Exit status: 0 stopped in good order, 1 failed, 2 wrong flags or configuration, 3 no broker in time.
#include "libmsg/core/clock.hpp"
#include "monitoring/log.hpp"
#include "services/config/program.hpp"
#include "services/ledger/ledger_process.hpp"
#include "services/ledger/options.hpp"

namespace {

int run(int argc, char** argv) {
  auto options = parley::ledger::read_options(argc, argv);
  if (!options) return parley::config::end_early(options.error());
  if (const auto log = parley::monitoring::set_up_log(options->log); !log) return parley::config::report(log.error());
  const parley::SystemClock clock;
  const auto ended = parley::ledger::run_ledger(std::move(*options), clock);
  return ended ? 0 : parley::config::report(ended.error());
}

}  // namespace

int main(int argc, char** argv) { return parley::config::run_program(argc, argv, run); }
