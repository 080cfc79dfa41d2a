// YAML values as JSON, for settings that are JSON by nature: arguments of tools, schemas, fields of requests. Pure; any
// thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "services/config/reader.hpp"

namespace parley::host {

/// By YAML 1.2's core schema: an unquoted `null`, `true`, `5` or `1.5` is what it looks like, other scalars are texts.
[[nodiscard]] nlohmann::json json_of(const config::YamlNode& node);

/// A JSON object under the key: a map, or a text that holds one. nullopt when there is nothing, or something else
/// (which is then noted as a problem).
[[nodiscard]] std::optional<std::string> read_json_object(config::ConfigReader& reader, std::string_view key);

}  // namespace parley::host
