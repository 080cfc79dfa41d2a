// Reads one entry of `models:` into a maker of chat models. Before anything runs; any thread.
#pragma once

#include <map>
#include <string>

#include "agents/host/agents_config.hpp"
#include "services/config/reader.hpp"

namespace parley::host {

/// Notes problems at the reader; the result may be used only if there were none. `name` is the entry's.
[[nodiscard]] ModelConfig read_model(const std::string& name, config::ConfigReader& settings);

/// Notes a problem for every fallback chain of the `models:` of this map that names a model which is not there, or that
/// comes back to itself.
void check_chains(config::ConfigReader& reader, const std::map<std::string, ModelConfig>& models);

/// The model and everything that its chains may ask, each once.
[[nodiscard]] std::vector<std::string> with_members(const std::string& name,
                                                    const std::map<std::string, ModelConfig>& models);

}  // namespace parley::host
