// What `./dev chaos` does to a fleet, and what it promises. Each scenario has a suite of its own. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/runtime/task.hpp"
#include "tests/chaos/report.hpp"

namespace parley::chaos {

struct ChaosOptions {
  std::filesystem::path program_folder;
  /// Fewer repetitions, for the tests.
  bool is_short = false;
};

/// Borrows everything; must outlive the tasks that it is given to.
struct Arena {
  asio::io_context& io;
  const Clock& clock;
  const ChaosOptions& options;

  [[nodiscard]] int times(int all, int few) const { return options.is_short ? few : all; }
};

struct Scenario {
  std::string name;
  Task<ScenarioReport> (*run)(Arena& arena);
};

[[nodiscard]] const std::vector<Scenario>& all_scenarios();

}  // namespace parley::chaos
