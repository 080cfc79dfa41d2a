// A policy's memory in the supervisors' state files. Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "services/supervisor/policy_memory.hpp"

namespace parley::supervisor {

[[nodiscard]] nlohmann::json to_json(const PolicyMemory& memory);
/// Throws nlohmann::json::exception when it is something else, as nlohmann's own access does.
[[nodiscard]] PolicyMemory memory_from_json(const nlohmann::json& value);

}  // namespace parley::supervisor
