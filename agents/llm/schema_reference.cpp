#include "agents/llm/schema_reference.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "agents/llm/json_text.hpp"

namespace parley::llm {

namespace {

using nlohmann::json;

/// The fragment of a URI, its %XX decoded.
std::string fragment_text(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const char* const digits = text.data() + i + 1;
    const bool is_escape =
        text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2;
    decoded += is_escape ? static_cast<char>(code) : text[i];
    if (is_escape) i += 2;
  }
  return decoded;
}

/// One step of a JSON pointer, `~1` and `~0` undone.
std::string pointer_key(std::string_view text) {
  std::string key;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '~' && i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1');
    key += !is_escape ? text[i] : text[i + 1] == '0' ? '~' : '/';
    if (is_escape) ++i;
  }
  return key;
}

const json* child_at(const json& node, const std::string& key) {
  if (node.is_object()) {
    const auto found = node.find(key);
    return found == node.end() ? nullptr : &*found;
  }
  if (!node.is_array() || key.empty()) return nullptr;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  const bool is_index = error == std::errc() && end == key.data() + key.size() && index < node.size();
  return is_index ? &node[index] : nullptr;
}

const json* find_pointer(const json& root, std::string_view pointer) {
  const json* node = &root;
  while (node != nullptr && !pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    node = child_at(*node, pointer_key(pointer.substr(0, end)));
    pointer.remove_prefix(end);
  }
  return node;
}

bool has_anchor(const json& schema, std::string_view name) {
  const std::string_view id = text_member(schema, "$id");
  return text_member(schema, "$anchor") == name || text_member(schema, "$dynamicAnchor") == name ||
         (id.starts_with('#') && id.substr(1) == name);
}

/// Values are no schemas, whatever they look like.
bool holds_values(std::string_view keyword) {
  return keyword == "enum" || keyword == "const" || keyword == "default" || keyword == "examples";
}

const json* find_anchor(const json& node, std::string_view name, bool is_root) {
  if (node.is_object()) {
    if (has_anchor(node, name)) return &node;
    if (!is_root && is_resource_id(member(node, "$id"))) return nullptr;
  }
  if (!node.is_structured()) return nullptr;
  for (const auto& entry : node.items()) {
    if (node.is_object() && holds_values(entry.key())) continue;
    if (const json* found = find_anchor(entry.value(), name, false)) return found;
  }
  return nullptr;
}

}  // namespace

const json* find_fragment(const json& schema, std::string_view fragment) {
  if (!fragment.starts_with('#')) return nullptr;
  const std::string text = fragment_text(fragment.substr(1));
  if (text.empty()) return &schema;
  return text.front() == '/' ? find_pointer(schema, text) : find_anchor(schema, text, true);
}

bool is_resource_id(const json& id) {
  return id.is_string() && !id.get_ref<const std::string&>().empty() && id.get_ref<const std::string&>().front() != '#';
}

}  // namespace parley::llm
