// Reads the conditions that end a conversation from `termination:`. Values; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agents/teams/termination.hpp"
#include "services/config/reader.hpp"

namespace parley::kinds {

/// A list of conditions, any of which is enough; nullopt when the key is not there.
[[nodiscard]] std::optional<teams::Condition> read_conditions(config::ConfigReader& settings, std::string_view key,
                                                              std::span<const std::string> members);

}  // namespace parley::kinds
