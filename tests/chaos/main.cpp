// parley-chaos: breaks real processes in every way that a fleet meets, and measures how it heals.
// Exit status: 0 every promise was kept, 1 one was not, 2 wrong flags.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string_view>

#include "libmsg/runtime/run.hpp"
#include "tests/chaos/scenarios.hpp"
#include "tests/chaos/worker.hpp"

namespace {

constexpr int kBroken = 1;
constexpr int kBadUsage = 2;

struct Flags {
  bool is_json = false;
  std::vector<std::string> only;
};

int run_scenarios(const parley::chaos::ChaosOptions& options, const Flags& flags) {
  const parley::SystemClock clock;
  bool has_run = false;
  bool is_passed = true;
  for (const parley::chaos::Scenario& scenario : parley::chaos::all_scenarios()) {
    if (!flags.only.empty() && std::ranges::find(flags.only, scenario.name) == flags.only.end()) continue;
    has_run = true;
    asio::io_context io(1);
    parley::chaos::Arena arena{io, clock, options};
    const parley::TimePoint start = clock.now();
    parley::chaos::ScenarioReport report = parley::run_until(io, scenario.run(arena));
    report.took = clock.now() - start;
    flags.is_json ? print_json(report) : print_report(report);
    is_passed = is_passed && report.is_passed();
  }
  if (has_run) return is_passed ? 0 : kBroken;
  std::cerr << "error: no such scenario; there are:";
  for (const auto& scenario : parley::chaos::all_scenarios()) std::cerr << ' ' << scenario.name;
  std::cerr << '\n';
  return kBadUsage;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "worker") return parley::chaos::run_chaos_worker(argc - 1, argv + 1);
  CLI::App app("parley-chaos: breaks the processes of a fleet and measures how it heals.", "parley-chaos");
  parley::chaos::ChaosOptions options;
  Flags flags;
  app.add_flag("--json", flags.is_json, "One JSON object a line for each scenario");
  app.add_flag("--short", options.is_short, "Fewer repetitions");
  app.add_option("--only", flags.only, "Run this scenario; may be given several times")->type_name("NAME");
  CLI11_PARSE(app, argc, argv);
  options.program_folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return run_scenarios(options, flags);
}
