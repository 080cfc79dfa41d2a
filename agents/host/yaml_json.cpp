#include "agents/host/yaml_json.hpp"

#include <nlohmann/json.hpp>

#include "agents/llm/json_text.hpp"
#include "services/config/yaml_json.hpp"

namespace parley::host {

using config::YamlNode;
using nlohmann::json;

json json_of(const YamlNode& node) { return config::to_json<json>(node); }

std::optional<std::string> read_json_object(config::ConfigReader& reader, std::string_view key) {
  const YamlNode* node = reader.value(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind == YamlNode::Kind::map) return llm::to_text(json_of(*node));
  if (node->kind == YamlNode::Kind::scalar) {
    if (const auto value = llm::parse_json(node->text); value && value->is_object()) return llm::to_text(*value);
  }
  reader.reject(key, "expected a map, or a text that holds a JSON object");
  return std::nullopt;
}

}  // namespace parley::host
