// The little that model clients need to know about a JSON Schema; arguments are validated elsewhere (agents/tools).
// Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace parley::llm {

/// A text that is no JSON object counts as the schema of any object.
[[nodiscard]] nlohmann::json parse_schema(const std::string& text);

/// True when every object of the schema lists all of its properties as required and forbids others, which is what
/// OpenAI wants before it promises `strict` answers (and refuses the request otherwise).
[[nodiscard]] bool is_strict_schema(const nlohmann::json& schema);

/// The smallest value that fits what is common in schemas: `type`, `properties`, `required`, `items`, `minItems`,
/// `enum`, `const`, `default`, `minimum`, `anyOf`, local `$ref`. For the offline model, which has nothing to say.
[[nodiscard]] nlohmann::json sample_of_schema(const nlohmann::json& schema);

}  // namespace parley::llm
