// The command line as a whole: reads the arguments, runs one verb, turns every failure into one line and an exit code.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "services/cli/command_tree.hpp"
#include "services/cli/console.hpp"

namespace parley::cli {

/// Runs `parley ARGUMENTS`; returns the exit code. `program_folder` is where the other programs are looked for.
int run(const std::vector<std::string>& arguments, Console& console, const std::filesystem::path& program_folder);

/// Verbs and flags as they are, for shell completion.
[[nodiscard]] CommandTree command_tree();

}  // namespace parley::cli
