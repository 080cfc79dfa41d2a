// The only reader of YAML: turns a text into a small tree of our own with line numbers. Bounded against hostile input
// (size, depth, number of nodes after aliases are expanded) and never throws. Pure except load_yaml(); any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "services/config/problems.hpp"

namespace parley::config {

inline constexpr std::size_t kMaxYamlBytes = std::size_t{1024} * 1024;
inline constexpr std::size_t kMaxYamlDepth = 32;
/// Nodes of the finished tree; an alias counts with everything that it stands for.
inline constexpr std::size_t kMaxYamlNodes = 50'000;
/// Text of the finished tree in bytes, aliases expanded.
inline constexpr std::size_t kMaxYamlTextBytes = std::size_t{4} * 1024 * 1024;

struct YamlEntry;

/// One value of a YAML document.
struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  int line = 0;  ///< 1-based
  bool is_quoted = false;
  std::string text;                ///< of a scalar
  std::vector<YamlNode> items;     ///< of a list
  std::vector<YamlEntry> entries;  ///< of a map, in the order of the file, keys unique
};

struct YamlEntry {
  std::string key;
  int line = 0;
  YamlNode value;
};

/// A parsed file with its name for messages.
struct YamlDocument {
  std::string file;
  YamlNode root;
};

/// Parses one document. An empty text is a null root. Duplicate keys, keys that are not plain text, a second document
/// and every broken bound are problems.
[[nodiscard]] Loaded<YamlDocument> parse_yaml(std::string_view text, std::string file);

/// Reads and parses a file of at most kMaxYamlBytes.
[[nodiscard]] Loaded<YamlDocument> load_yaml(const std::filesystem::path& path);

}  // namespace parley::config
