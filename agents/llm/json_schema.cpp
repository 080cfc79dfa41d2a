#include "agents/llm/json_schema.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "agents/llm/json_text.hpp"
#include "agents/llm/schema_reference.hpp"

namespace parley::llm {

namespace {

using nlohmann::json;

/// A schema may refer to itself, and each level may hold the whole again.
constexpr int kMaxSampleDepth = 16;
constexpr std::size_t kMaxSampleValues = 1000;
constexpr std::uint64_t kMaxSampleItems = 16;

bool is_strict_object(const json& schema) {
  const json& properties = member(schema, "properties");
  const json& required = member(schema, "required");
  const json& others = member(schema, "additionalProperties");
  if (!others.is_boolean() || others.get<bool>()) return false;
  if (!properties.is_object() || properties.empty()) return true;
  return required.is_array() && std::ranges::all_of(properties.items(), [&](const auto& each) {
           return std::ranges::find(required, json(each.key())) != required.end();
         });
}

bool is_strict(const json& schema) {
  if (schema.is_array()) return std::ranges::all_of(schema, is_strict);
  if (!schema.is_object()) return true;
  const bool is_object = text_member(schema, "type") == "object" || schema.contains("properties");
  if (is_object && !is_strict_object(schema)) return false;
  return std::ranges::all_of(schema.items(), [](const auto& each) { return is_strict(each.value()); });
}

/// One reference may lead to the next.
const json& resolve(const json& root, const json& schema) {
  const json* node = &schema;
  for (int i = 0; i < kMaxSampleDepth; ++i) {
    const json* target = find_fragment(root, text_member(*node, "$ref"));
    if (target == nullptr) break;
    node = target;
  }
  return *node;
}

std::string type_of(const json& schema) {
  const json& type = member(schema, "type");
  if (type.is_string()) return type.get<std::string>();
  if (type.is_array() && !type.empty() && type.front().is_string()) return type.front().get<std::string>();
  return schema.is_object() && schema.contains("properties") ? "object" : "";
}

class Sampler {
 public:
  explicit Sampler(const json& root) : root_(root) {}

  json value(const json& unresolved, int depth) {
    const json& schema = resolve(root_, unresolved);
    if (++values_ > kMaxSampleValues || depth > kMaxSampleDepth) return nullptr;
    for (const char* key : {"const", "default"}) {
      if (const json& fixed = member(schema, key); !fixed.is_null()) return fixed;
    }
    if (const json& values = member(schema, "enum"); values.is_array() && !values.empty()) return values.front();
    for (const char* key : {"anyOf", "oneOf", "allOf"}) {
      const json& alternatives = member(schema, key);
      if (alternatives.is_array() && !alternatives.empty()) return value(alternatives.front(), depth + 1);
    }
    const std::string type = type_of(schema);
    if (type == "object") return object(schema, depth);
    if (type == "array") return array(schema, depth);
    if (type == "integer" || type == "number") {
      const json& minimum = member(schema, "minimum");
      return minimum.is_number() ? minimum : json(0);
    }
    if (type == "boolean") return false;
    if (type == "null") return nullptr;
    return "";
  }

 private:
  json object(const json& schema, int depth) {
    json result = json::object();
    const json& required = member(schema, "required");
    if (!required.is_array()) return result;
    for (const json& name : required) {
      if (!name.is_string()) continue;
      const std::string& key = name.get_ref<const std::string&>();
      result[key] = value(member(member(schema, "properties"), key), depth + 1);
    }
    return result;
  }

  json array(const json& schema, int depth) {
    json result = json::array();
    const std::uint64_t count = std::min(count_member(schema, "minItems").value_or(0), kMaxSampleItems);
    for (std::uint64_t i = 0; i < count; ++i) result.push_back(value(member(schema, "items"), depth + 1));
    return result;
  }

  const json& root_;
  std::size_t values_ = 0;
};

}  // namespace

json parse_schema(const std::string& text) {
  std::optional<json> schema = parse_json(text);
  if (schema && schema->is_object()) return std::move(*schema);
  return {{"type", "object"}};
}

bool is_strict_schema(const json& schema) { return is_strict(schema); }

json sample_of_schema(const json& schema) { return Sampler(schema).value(schema, 0); }

}  // namespace parley::llm
