// The settings of a sandbox, for the kinds and tools that run code: agents/README.md §Sandbox describes each key.
// Any thread.
#pragma once

#include "agents/sandbox/sandbox.hpp"
#include "services/config/reader.hpp"

namespace parley::kinds {

/// Reads the keys from the map that `reader` stands at (the tool's own map, or `sandbox:` of an agent) and notes
/// problems there.
[[nodiscard]] sandbox::SandboxOptions read_sandbox(config::ConfigReader& reader);

}  // namespace parley::kinds
