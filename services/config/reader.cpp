#include "services/config/reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "libmsg/core/ascii.hpp"
#include "libmsg/core/byte_size.hpp"
#include "libmsg/core/duration.hpp"
#include "libmsg/core/nearest.hpp"

namespace parley::config {
namespace {

std::string quoted_list(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

/// `token` is a secret, `tokens` are what models count and charge: max_tokens, input_tokens.
bool is_secretive(std::string_view key) {
  constexpr std::string_view kToken = "token";
  const std::string lower = ascii_lower(key);
  for (std::size_t at = lower.find(kToken); at != std::string::npos; at = lower.find(kToken, at + 1)) {
    if (!std::string_view(lower).substr(at + kToken.size()).starts_with('s')) return true;
  }
  constexpr std::array<std::string_view, 3> kSecretive{"key", "secret", "password"};
  return std::ranges::any_of(kSecretive, [&lower](std::string_view word) { return lower.contains(word); });
}

/// What stands there, for a message. A value under a key that sounds like a secret is not repeated.
std::string shown(const YamlNode& node, std::string_view key) {
  switch (node.kind) {
    case YamlNode::Kind::null:
    case YamlNode::Kind::list:
    case YamlNode::Kind::map:
      return {};
    case YamlNode::Kind::scalar:
      break;
  }
  return is_secretive(key) ? "(hidden)" : node.text;
}

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string("?");
}

}  // namespace

ConfigReader::ConfigReader(const YamlDocument& document, ConfigProblems& problems)
    : ConfigReader(document.file, document.root, {}, problems) {
  if (node_->kind == YamlNode::Kind::null) reject("expected a map of settings, and the file is empty");
  if (node_->kind == YamlNode::Kind::scalar || node_->kind == YamlNode::Kind::list)
    reject("expected a map of settings");
}

ConfigReader::ConfigReader(const std::string& file, const YamlNode& node, std::string path, ConfigProblems& problems)
    : file_(&file), node_(&node), path_(std::move(path)), problems_(&problems) {}

std::string ConfigReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void ConfigReader::note(const YamlNode& node, std::string key, std::string expected) {
  std::string value = shown(node, key);
  problems_->add({*file_, node.line, std::move(key), std::move(value), std::move(expected)});
}

const YamlNode* ConfigReader::find(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  const auto found = std::ranges::find(node_->entries, key, &YamlEntry::key);
  return found == node_->entries.end() ? nullptr : &found->value;
}

const YamlNode* ConfigReader::find_scalar(std::string_view key, std::string_view expected) {
  const YamlNode* node = find(key);
  if (node == nullptr) return nullptr;
  if (node->kind == YamlNode::Kind::scalar) return node;
  note(*node, path_of(key), "expected " + std::string(expected));
  return nullptr;
}

bool ConfigReader::has(std::string_view key) { return find(key) != nullptr; }

bool ConfigReader::is_text(std::string_view key) {
  const YamlNode* node = find(key);
  return node != nullptr && node->kind == YamlNode::Kind::scalar;
}

std::string ConfigReader::text(std::string_view key, std::string fallback) {
  const YamlNode* node = find_scalar(key, "a text");
  if (node != nullptr) return node->text;
  return fallback;
}

std::optional<std::string> ConfigReader::optional_text(std::string_view key) {
  const YamlNode* node = find_scalar(key, "a text");
  return node == nullptr ? std::nullopt : std::optional(node->text);
}

std::string ConfigReader::required_text(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr) {
    problems_->add({*file_, node_->line, path_of(key), {}, "expected a text, and the key is missing"});
    return {};
  }
  if (node->kind != YamlNode::Kind::scalar || node->text.empty()) {
    note(*node, path_of(key), "expected a text that is not empty");
    return {};
  }
  return node->text;
}

bool ConfigReader::flag(std::string_view key, bool fallback) {
  const YamlNode* node = find_scalar(key, "true or false");
  if (node == nullptr) return fallback;
  if (node->text == "true" || node->text == "yes" || node->text == "on") return true;
  if (node->text == "false" || node->text == "no" || node->text == "off") return false;
  note(*node, path_of(key), "expected true or false");
  return fallback;
}

std::uint64_t ConfigReader::integer(std::string_view key, std::uint64_t fallback, Range<std::uint64_t> range) {
  const std::string expected =
      "expected a whole number from " + std::to_string(range.min) + " to " + std::to_string(range.max);
  const YamlNode* node = find(key);
  if (node == nullptr) return fallback;
  std::uint64_t value = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [stop, error] = std::from_chars(node->text.data(), end, value);
  const bool is_number = node->kind == YamlNode::Kind::scalar && error == std::errc() && stop == end;
  if (is_number && value >= range.min && value <= range.max) return value;
  note(*node, path_of(key), expected);
  return fallback;
}

double ConfigReader::number(std::string_view key, double fallback, Range<double> range) {
  const YamlNode* node = find(key);
  if (node == nullptr) return fallback;
  double value = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [stop, error] = std::from_chars(node->text.data(), end, value);
  const bool is_number =
      node->kind == YamlNode::Kind::scalar && error == std::errc() && stop == end && std::isfinite(value);
  if (is_number && value >= range.min && value <= range.max) return value;
  note(*node, path_of(key), "expected a number from " + number_text(range.min) + " to " + number_text(range.max));
  return fallback;
}

std::uint64_t ConfigReader::size(std::string_view key, std::uint64_t fallback, Range<std::uint64_t> range) {
  const YamlNode* node = find_scalar(key, "a size such as 64KiB, 512MiB or 2GiB");
  if (node == nullptr) return fallback;
  const Result<std::uint64_t> value = parse_byte_size(node->text);
  if (value && *value >= range.min && *value <= range.max) return *value;
  note(*node, path_of(key),
       value ? "expected a size from " + format_byte_size(range.min) + " to " + format_byte_size(range.max)
             : value.error().message);
  return fallback;
}

std::chrono::milliseconds ConfigReader::duration(std::string_view key, std::chrono::milliseconds fallback,
                                                 Range<std::chrono::milliseconds> range) {
  const YamlNode* node = find_scalar(key, "a duration such as 250ms, 5s or 2m");
  if (node == nullptr) return fallback;
  const Result<std::chrono::milliseconds> value = parse_duration(node->text);
  if (value && *value >= range.min && *value <= range.max) return *value;
  note(*node, path_of(key),
       value ? "expected a duration from " + format_duration(range.min) + " to " + format_duration(range.max)
             : value.error().message);
  return fallback;
}

std::size_t ConfigReader::choice(std::string_view key, std::span<const std::string_view> names, std::size_t fallback) {
  const std::string expected = "expected one of " + quoted_list(names);
  const YamlNode* node = find_scalar(key, expected.substr(std::string_view("expected ").size()));
  if (node == nullptr) return fallback;
  const auto found = std::ranges::find(names, node->text);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const std::vector<std::string> known(names.begin(), names.end());
  const std::vector<std::string> nearest = nearest_names(node->text, known, 1);
  note(*node, path_of(key), nearest.empty() ? expected : expected + " (did you mean '" + nearest.front() + "'?)");
  return fallback;
}

std::vector<std::string> ConfigReader::texts(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr) return {};
  if (node->kind == YamlNode::Kind::scalar) return {node->text};
  if (node->kind != YamlNode::Kind::list) {
    note(*node, path_of(key), "expected a list of texts");
    return {};
  }
  std::vector<std::string> values;
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const YamlNode& item = node->items[i];
    if (item.kind == YamlNode::Kind::scalar) {
      values.push_back(item.text);
    } else {
      note(item, path_of(key) + "[" + std::to_string(i) + "]", "expected a text");
    }
  }
  return values;
}

std::vector<std::pair<std::string, std::string>> ConfigReader::text_map(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr) return {};
  if (node->kind != YamlNode::Kind::map) {
    note(*node, path_of(key), "expected a map of texts");
    return {};
  }
  std::vector<std::pair<std::string, std::string>> values;
  for (const YamlEntry& entry : node->entries) {
    if (entry.value.kind == YamlNode::Kind::scalar) {
      values.emplace_back(entry.key, entry.value.text);
    } else {
      note(entry.value, path_of(key) + "." + entry.key, "expected a text");
    }
  }
  return values;
}

const YamlNode* ConfigReader::value(std::string_view key) { return find(key); }

std::optional<ConfigReader> ConfigReader::child(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind == YamlNode::Kind::map) return ConfigReader(*file_, *node, path_of(key), *problems_);
  note(*node, path_of(key), "expected a map");
  return std::nullopt;
}

std::vector<ConfigReader> ConfigReader::children(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr) return {};
  if (node->kind != YamlNode::Kind::list) {
    note(*node, path_of(key), "expected a list");
    return {};
  }
  std::vector<ConfigReader> readers;
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const YamlNode& item = node->items[i];
    std::string path = path_of(key) + "[" + std::to_string(i) + "]";
    if (item.kind == YamlNode::Kind::map) {
      readers.push_back(ConfigReader(*file_, item, std::move(path), *problems_));
    } else {
      note(item, std::move(path), "expected a map");
    }
  }
  return readers;
}

std::vector<TextOrReader> ConfigReader::items(std::string_view key) {
  const YamlNode* node = find(key);
  if (node == nullptr) return {};
  std::vector<TextOrReader> values;
  if (node->kind == YamlNode::Kind::scalar) {
    values.push_back({node->text, std::nullopt});
    return values;
  }
  if (node->kind != YamlNode::Kind::list) {
    note(*node, path_of(key), "expected a list");
    return {};
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const YamlNode& item = node->items[i];
    std::string path = path_of(key) + "[" + std::to_string(i) + "]";
    if (item.kind == YamlNode::Kind::scalar) {
      values.push_back({item.text, std::nullopt});
    } else if (item.kind == YamlNode::Kind::map) {
      values.push_back({{}, ConfigReader(*file_, item, std::move(path), *problems_)});
    } else {
      note(item, std::move(path), "expected a text or a map");
    }
  }
  return values;
}

std::vector<std::pair<std::string, ConfigReader>> ConfigReader::named_children(std::string_view key) {
  std::optional<ConfigReader> map = child(key);
  if (!map) return {};
  std::vector<std::pair<std::string, ConfigReader>> readers;
  for (const YamlEntry& entry : map->node_->entries) {
    if (entry.value.kind == YamlNode::Kind::map) {
      readers.emplace_back(entry.key, ConfigReader(*file_, entry.value, map->path_of(entry.key), *problems_));
    } else {
      map->note(entry.value, map->path_of(entry.key), "expected a map");
    }
  }
  return readers;
}

void ConfigReader::reject_unknown_keys() {
  for (const YamlEntry& entry : node_->entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    const std::vector<std::string> nearest = nearest_names(entry.key, known_, 1);
    std::string expected = "unknown key";
    if (!nearest.empty()) expected += " (did you mean '" + nearest.front() + "'?)";
    problems_->add({*file_, entry.line, path_of(entry.key), {}, std::move(expected)});
  }
}

void ConfigReader::reject(std::string_view key, std::string expected) {
  const YamlNode* node = find(key);
  if (node != nullptr) {
    note(*node, path_of(key), std::move(expected));
  } else {
    problems_->add({*file_, node_->line, path_of(key), {}, std::move(expected)});
  }
}

void ConfigReader::reject(std::string expected) {
  problems_->add({*file_, node_->line, path_, {}, std::move(expected)});
}

}  // namespace parley::config
