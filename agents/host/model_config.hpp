// Reads one entry of `models:` into a maker of chat models. Before anything runs; any thread.
#pragma once

#include "agents/host/agents_config.hpp"
#include "services/config/reader.hpp"

namespace parley::host {

/// Notes problems at the reader; the result may be used only if there were none.
[[nodiscard]] ModelConfig read_model(config::ConfigReader& settings);

}  // namespace parley::host
