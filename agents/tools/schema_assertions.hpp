// The keywords of a JSON Schema that hold no schemas: what a value itself lacks, a sentence for each problem. Internal
// to SchemaCheck; pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agents/tools/schema_document.hpp"

namespace parley::tools {

using SchemaProblems = std::vector<std::string>;

/// `type`, `enum`, `const`.
[[nodiscard]] SchemaProblems kind_problems(const nlohmann::json& schema, const nlohmann::json& value);
/// Limits of a number's value, a text's length, an array's or an object's size; `pattern`, `uniqueItems`, `required`.
[[nodiscard]] SchemaProblems content_problems(const SchemaDocument& document, const nlohmann::json& schema,
                                              const nlohmann::json& value);

/// A value as a sentence may show it.
[[nodiscard]] std::string shown_value(const nlohmann::json& value);
/// A number as a sentence shows it.
[[nodiscard]] std::string shown_number(double number);

}  // namespace parley::tools
