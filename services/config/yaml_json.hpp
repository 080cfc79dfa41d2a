// A YAML value as JSON, for values that are JSON by nature: schemas, arguments of tools, fields of requests. A
// template, so that this folder needs no JSON library: `Json` is nlohmann's, with or without the order of the file.
// Pure; any thread.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/config/yaml.hpp"

namespace parley::config {

namespace detail {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return value;
}

template <class Json>
Json scalar_of(const YamlNode& node) {
  const std::string& text = node.text;
  if (node.is_quoted) return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  // `inf` and `nan` are numbers to the library and texts in YAML, whose own spelling JSON cannot express.
  if (text.find_first_not_of("+-.0123456789eE") != std::string::npos) return text;
  if (const auto value = number_of<std::int64_t>(text)) return *value;
  if (const auto value = number_of<std::uint64_t>(text)) return *value;
  if (const auto value = number_of<double>(text)) return *value;
  return text;
}

}  // namespace detail

/// By YAML 1.2's core schema: an unquoted `null`, `true`, `5` or `1.5` is what it looks like, other scalars are texts.
/// As deep as the document, which is bounded.
template <class Json>
Json to_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::scalar:
      return detail::scalar_of<Json>(node);
    case YamlNode::Kind::list: {
      Json list = Json::array();
      for (const YamlNode& item : node.items) list.push_back(to_json<Json>(item));
      return list;
    }
    case YamlNode::Kind::map:
      break;
  }
  Json object = Json::object();
  for (const YamlEntry& entry : node.entries) object[entry.key] = to_json<Json>(entry.value);
  return object;
}

}  // namespace parley::config
