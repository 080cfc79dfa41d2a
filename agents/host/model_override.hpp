// Other models than those of a file, from the command line: `--model '*=openai:gpt-4o-mini'` runs a scripted example
// with a real model, and the file stays as it is. Values; any thread, before anything runs.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "services/config/yaml.hpp"

namespace parley::host {

/// `NAME=SETTINGS`, checked.
struct ModelOverride {
  std::string name;           ///< in `models:`; `*`: every one but fallback chains
  std::string text;           ///< as it was given, to be passed on to other processes
  config::YamlNode settings;  ///< what stands under the name instead
};

/// Reads each `NAME=PROVIDER:MODEL` or `NAME={provider: …, …}`, the latter with the keys of `models:`. Problems are
/// those of a configuration whose file is called `--model NAME`.
[[nodiscard]] config::Loaded<std::vector<ModelOverride>> read_model_overrides(const std::vector<std::string>& texts);

/// Puts them into a suite or agents file; a name of its own wins over `*`. Names that are not there are left out.
void override_models(config::YamlDocument& document, std::span<const ModelOverride> overrides);

/// Overrides of models that are none of a file's.
[[nodiscard]] config::ConfigProblems unknown_overrides(std::span<const ModelOverride> overrides,
                                                       const std::set<std::string>& models, const std::string& file);

}  // namespace parley::host
