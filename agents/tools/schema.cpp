#include "agents/tools/schema.hpp"

#include "agents/llm/json_text.hpp"
#include "agents/tools/schema_check.hpp"

namespace parley::tools {

using nlohmann::json;

Result<JsonSchema> JsonSchema::parse(std::string_view text) {
  std::optional<json> schema = llm::parse_json(text);
  if (!schema) return fail(ErrorCode::invalid, "the schema is not JSON, or nested too deeply");
  return make(std::move(*schema));
}

Result<JsonSchema> JsonSchema::make(json schema) {
  if (!schema.is_object() && !schema.is_boolean()) return fail(ErrorCode::invalid, "the schema is not a JSON object");
  Result<std::shared_ptr<const SchemaDocument>> document = SchemaDocument::read(std::move(schema));
  if (!document) return fail(std::move(document).error());
  return JsonSchema(std::move(*document));
}

std::vector<std::string> JsonSchema::problems(const json& value) const {
  return SchemaCheck(*document_).problems(value);
}

}  // namespace parley::tools
