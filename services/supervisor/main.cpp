// parley-supervisor: starts, watches and heals the processes of a suite, or the pods of a namespace.
// Exit status: 0 everything is stopped (or, with pods, told to stop), 1 failed, 2 wrong flags or configuration.
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "monitoring/log.hpp"
#include "services/config/program.hpp"
#include "services/supervisor/options.hpp"

namespace {

using namespace parley;

int run(int argc, char** argv) {
  const auto options = supervisor::read_options(argc, argv, supervisor::real_surroundings());
  if (!options) return config::end_early(options.error());
  if (const auto ready = monitoring::set_up_log(options->log); !ready) return config::report(ready.error());
  const SystemClock clock;
  SystemRandom random;
  const auto* const pods = std::get_if<supervisor::PodSupervisorOptions>(&options->mode);
  const Result<> ended = pods != nullptr ? supervisor::run_pod_supervisor(*pods, clock, random)
                                         : supervisor::run_local_supervisor(
                                               std::get<supervisor::SupervisorOptions>(options->mode), clock, random);
  return ended ? 0 : config::report(ended.error());
}

}  // namespace

int main(int argc, char** argv) { return config::run_program(argc, argv, run); }
