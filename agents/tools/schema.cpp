#include "agents/tools/schema.hpp"

#include "agents/llm/json_text.hpp"
#include "agents/tools/schema_check.hpp"

namespace parley::tools {

using nlohmann::json;

struct JsonSchema::Compiled {
  json root;
  SchemaPatterns patterns;
};

namespace {

/// Looks at every object of the schema, also at those that are no schemas: what is noted too much does no harm.
Result<> compile_node(const json& root, const json& node, SchemaPatterns& patterns) {
  if (node.is_object()) {
    const json& reference = llm::member(node, "$ref");
    if (reference.is_string() && find_reference(root, reference.get_ref<const std::string&>()) == nullptr) {
      return fail(ErrorCode::invalid,
                  "\"$ref\": \"" + reference.get<std::string>() + "\" leads to nothing in the schema");
    }
    const std::string_view pattern = llm::text_member(node, "pattern");
    if (!pattern.empty()) patterns.add(std::string(pattern));
    const json& by_pattern = llm::member(node, "patternProperties");
    if (by_pattern.is_object()) {
      for (const auto& entry : by_pattern.items()) patterns.add(entry.key());
    }
  }
  if (!node.is_structured()) return {};
  for (const json& each : node) {
    Result<> compiled = compile_node(root, each, patterns);
    if (!compiled) return compiled;
  }
  return {};
}

}  // namespace

Result<JsonSchema> JsonSchema::parse(std::string_view text) {
  std::optional<json> schema = llm::parse_json(text);
  if (!schema) return fail(ErrorCode::invalid, "the schema is not JSON, or nested too deeply");
  return make(std::move(*schema));
}

Result<JsonSchema> JsonSchema::make(json schema) {
  if (!schema.is_object() && !schema.is_boolean()) return fail(ErrorCode::invalid, "the schema is not a JSON object");
  auto compiled = std::make_shared<Compiled>();
  compiled->root = std::move(schema);
  Result<> done = compile_node(compiled->root, compiled->root, compiled->patterns);
  if (!done) return fail(std::move(done).error());
  return JsonSchema(std::move(compiled));
}

std::vector<std::string> JsonSchema::problems(const json& value) const {
  return SchemaCheck(compiled_->root, compiled_->patterns).problems(value);
}

}  // namespace parley::tools
