// Where the budgets of a suite are kept between its runs: a limit per day is one for all runs of the day. Main thread.
#pragma once

#include <filesystem>

#include "libmsg/core/error.hpp"

namespace parley::cli {

/// `$XDG_STATE_HOME/parley/ledger/<name>-<hash of the suite file's path>`; without the variable `~/.local/state` stands
/// for it. Fails with `bad_configuration` when there is no home folder either.
[[nodiscard]] Result<std::filesystem::path> ledger_folder_of(const std::filesystem::path& suite_file);

}  // namespace parley::cli
