// Reads the settings of `provider: offline`. Before anything runs; any thread.
#pragma once

#include <optional>

#include "agents/llm/offline_rules.hpp"
#include "services/config/reader.hpp"

namespace parley::host {

/// Notes problems at the reader; nullopt when the rules are wrong.
[[nodiscard]] std::optional<llm::OfflineRules> read_offline_rules(config::ConfigReader& reader);

}  // namespace parley::host
