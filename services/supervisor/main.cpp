// parley-supervisor: starts, watches and heals the processes of a suite.
// Exit status: 0 everything is stopped, 1 failed, 2 wrong flags or configuration.
#include <CLI/CLI.hpp>
#include <iostream>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "monitoring/log.hpp"
#include "services/config/program.hpp"
#include "services/supervisor/local_supervisor.hpp"

namespace {

int run(int argc, char** argv) {
  CLI::App app("parley-supervisor: starts, watches and heals the processes that 'parley up' has planned.",
               "parley-supervisor");
  parley::supervisor::SupervisorOptions options;
  parley::monitoring::LogOptions log;
  app.add_option("--run-dir", options.folder, "Run directory of the suite, with its suite.json")
      ->type_name("DIR")
      ->required();
  app.add_flag("--stop", options.is_stop_only, "Stop what an earlier supervisor has left running, then end");
  app.add_option("--metrics-port", options.metrics_port, "Serve /metrics, /livez, /readyz; 0 takes a free port")
      ->type_name("PORT");
  app.add_option("--metrics-address", options.metrics_address, "Where to serve them (default 127.0.0.1)")
      ->type_name("IP");
  app.add_option("--log-level", log.level, "error, warn, info (default), debug or off")->type_name("LEVEL");
  app.add_option("--log-format", log.format, "text (default) or json")->type_name("FORMAT");
  app.set_version_flag("--version", "parley-supervisor " PARLEY_VERSION);
  app.footer("Example: parley-supervisor --run-dir /run/user/1000/parley/up\nUsually 'parley up' starts it.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::cerr << "error: " << error.what() << " (see parley-supervisor --help)\n";
    return parley::config::kBadConfigurationExit;
  }
  if (const auto ready = parley::monitoring::set_up_log(log); !ready) return parley::config::report(ready.error());
  options.folder = std::filesystem::absolute(options.folder);
  const parley::SystemClock clock;
  parley::SystemRandom random;
  const auto ended = parley::supervisor::run_local_supervisor(options, clock, random);
  return ended ? 0 : parley::config::report(ended.error());
}

}  // namespace

int main(int argc, char** argv) { return parley::config::run_program(argc, argv, run); }
