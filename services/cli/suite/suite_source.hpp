// Where a suite comes from: a file, or the help desk that is built into the program. Main thread, at start.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/host/agents_config.hpp"
#include "services/cli/environment.hpp"

namespace parley::cli {

/// The help desk of agents/examples/helpdesk/parley.yaml, as it was when the program was built.
[[nodiscard]] std::string_view embedded_helpdesk();

/// The suite in `file`, or the built-in one; with the models of `--model` (see host::read_model_overrides()).
[[nodiscard]] config::Loaded<host::SuiteConfig> load_suite(const std::optional<std::string>& file,
                                                           const std::vector<std::string>& models = {});

/// The built-in suite as a file in `folder`, where other processes can read it. Fails with `bad_configuration`.
[[nodiscard]] Result<host::SuiteConfig> write_embedded_suite(const std::filesystem::path& folder,
                                                             const std::vector<std::string>& models = {});

/// Tells whoever starts a suite of limits in money that cannot hold.
void warn_of_prices(const Environment& environment, const host::SuiteConfig& suite);

}  // namespace parley::cli
