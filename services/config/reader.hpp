// Typed access to a YAML tree that notes every problem with file, line, key, value and expectation and then goes on
// with the default, so that one run finds all of them:
//
//     ConfigReader reader(document, problems);
//     options.timeout = reader.duration("timeout", 30s, {1ms, 1h});
//     options.model = reader.required_text("model");
//     reader.reject_unknown_keys();
//     if (!problems.is_empty()) …
//
// A reader borrows the document and the problems; both must outlive it. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/config/problems.hpp"
#include "services/config/yaml.hpp"

namespace parley::config {

/// An inclusive range of allowed values.
template <class T>
struct Range {
  T min;
  T max;
};

struct TextOrReader;

class ConfigReader {
 public:
  /// At the root of a document. Notes a problem when the root is not a map.
  ConfigReader(const YamlDocument& document, ConfigProblems& problems);

  /// True when the map has the key (with any value). Counts as knowing the key.
  [[nodiscard]] bool has(std::string_view key);
  /// True when the map has the key with a text as value, for keys that are a text or a map.
  [[nodiscard]] bool is_text(std::string_view key);

  [[nodiscard]] std::string text(std::string_view key, std::string fallback = {});
  /// Notes a problem when it is missing or empty.
  [[nodiscard]] std::string required_text(std::string_view key);
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view key);
  /// `true`/`false`, `yes`/`no`, `on`/`off`.
  [[nodiscard]] bool flag(std::string_view key, bool fallback);
  [[nodiscard]] std::uint64_t integer(std::string_view key, std::uint64_t fallback, Range<std::uint64_t> range);
  [[nodiscard]] double number(std::string_view key, double fallback, Range<double> range);
  /// `64KiB`, `512MiB`, `2GiB`: bytes.
  [[nodiscard]] std::uint64_t size(std::string_view key, std::uint64_t fallback, Range<std::uint64_t> range);
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds fallback,
                                                   Range<std::chrono::milliseconds> range);
  /// One of `names`; the index of the one that is there, or `fallback`.
  [[nodiscard]] std::size_t choice(std::string_view key, std::span<const std::string_view> names, std::size_t fallback);
  /// A list of texts; a single text counts as a list of one.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  /// A map of text to text, in the order of the file.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> text_map(std::string_view key);

  /// Whatever stands there, for values of a form of their own; nullptr if nothing does.
  [[nodiscard]] const YamlNode* value(std::string_view key);

  /// A nested map; nullopt (and a problem when it is something else than a map) if it is not there.
  [[nodiscard]] std::optional<ConfigReader> child(std::string_view key);
  /// The maps of a list.
  [[nodiscard]] std::vector<ConfigReader> children(std::string_view key);
  /// The items of a list in which each is a text or a map; a single text counts as a list of one.
  [[nodiscard]] std::vector<TextOrReader> items(std::string_view key);
  /// The maps of a map, by their key: `models: {fast: {…}, good: {…}}`.
  [[nodiscard]] std::vector<std::pair<std::string, ConfigReader>> named_children(std::string_view key);

  /// Notes a problem for each key that nobody asked for, with the nearest key that somebody did. Call it last.
  void reject_unknown_keys();

  /// Notes a problem with the value of a key (at the map itself when the key is not there).
  void reject(std::string_view key, std::string expected);
  /// Notes a problem with the map as a whole.
  void reject(std::string expected);

  [[nodiscard]] const std::string& file() const { return *file_; }
  [[nodiscard]] int line() const { return node_->line; }
  /// Path of this map, for example `agents[1]`; empty at the root.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] ConfigProblems& problems() { return *problems_; }

 private:
  ConfigReader(const std::string& file, const YamlNode& node, std::string path, ConfigProblems& problems);

  const YamlNode* find(std::string_view key);
  const YamlNode* find_scalar(std::string_view key, std::string_view expected);
  [[nodiscard]] std::string path_of(std::string_view key) const;
  void note(const YamlNode& node, std::string key, std::string expected);

  const std::string* file_;
  const YamlNode* node_;
  std::string path_;
  ConfigProblems* problems_;
  std::vector<std::string> known_;
};

/// One item of a list such as `[hr, {name: finance, description: money}]`.
struct TextOrReader {
  std::string text;                 ///< when it is a text
  std::optional<ConfigReader> map;  ///< when it is a map
};

}  // namespace parley::config
