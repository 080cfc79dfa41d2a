// Reads the list `agents:` of a worker: what all agents have in common, and each kind's own settings. Any thread.
#pragma once

#include <vector>

#include "agents/host/agents_config.hpp"
#include "services/config/reader.hpp"

namespace parley::host {

/// Reads `agents` against the models and tools of `config`.
[[nodiscard]] std::vector<AgentConfig> read_agent_list(config::ConfigReader& reader, const AgentsConfig& config);

}  // namespace parley::host
