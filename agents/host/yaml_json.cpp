#include "agents/host/yaml_json.hpp"

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "agents/llm/json_text.hpp"

namespace parley::host {

namespace {

using config::YamlNode;
using nlohmann::json;

template <class Number>
std::optional<Number> number_of(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

json scalar_of(const YamlNode& node) {
  const std::string& text = node.text;
  if (node.is_quoted) return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "~" || text == "null") return nullptr;
  // `inf` and `nan` are numbers to the library and texts in YAML, whose own spelling JSON cannot express.
  const bool is_numeric = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
  if (!is_numeric) return text;
  if (const auto value = number_of<std::int64_t>(text)) return *value;
  if (const auto value = number_of<std::uint64_t>(text)) return *value;
  if (const auto value = number_of<double>(text)) return *value;
  return text;
}

}  // namespace

json json_of(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::scalar:
      return scalar_of(node);
    case YamlNode::Kind::list: {
      json list = json::array();
      for (const YamlNode& item : node.items) list.push_back(json_of(item));
      return list;
    }
    case YamlNode::Kind::map: {
      json object = json::object();
      for (const config::YamlEntry& entry : node.entries) object[entry.key] = json_of(entry.value);
      return object;
    }
  }
  return nullptr;
}

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
