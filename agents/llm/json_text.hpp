// JSON that came from outside: parsed without exceptions, with a bound on nesting, and read without assuming that a
// member exists or has the expected type. Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace parley::llm {

/// nullopt for malformed text and for values nested deeper than 64 levels.
[[nodiscard]] std::optional<nlohmann::json> parse_json(std::string_view text);

/// On one line; text that is not UTF-8 is repaired with replacement characters.
[[nodiscard]] std::string to_text(const nlohmann::json& value);

/// The member, or null when `object` is no object or has no such member.
[[nodiscard]] const nlohmann::json& member(const nlohmann::json& object, std::string_view name);
/// The member when it is a string, or an empty text.
[[nodiscard]] std::string_view text_member(const nlohmann::json& object, std::string_view name);
/// The member when it is a number that is not negative.
[[nodiscard]] std::optional<std::uint64_t> count_member(const nlohmann::json& object, std::string_view name);

}  // namespace parley::llm
