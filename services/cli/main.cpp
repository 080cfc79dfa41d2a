// The command line tool. Everything it does is a verb in verbs/.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "services/cli/app.hpp"
#include "services/cli/console.hpp"
#include "services/cli/exit_code.hpp"
#include "services/config/descriptors.hpp"

int main(int argc, char** argv) {
  try {
    parley::config::raise_descriptor_limit();  // `--standalone` hosts agents in this process.
    auto console = parley::cli::Console::of_process();
    std::error_code unknown;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
    return parley::cli::run(std::vector<std::string>(argv + 1, argv + argc), console, program.parent_path());
  } catch (const std::exception& failure) {
    (void)std::fprintf(stderr, "error: handler_failed: %s (this is a defect of parley)\n", failure.what());
    return parley::cli::kFailed;
  }
}
