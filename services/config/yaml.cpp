#include "services/config/yaml.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace parley::config {
namespace {

/// Ends parsing from inside a callback of yaml-cpp; never leaves this file.
struct BoundBroken : std::exception {
  BoundBroken(int at, std::string what_holds) : line(at), expected(std::move(what_holds)) {}
  int line;
  std::string expected;
};

/// The cost of a subtree in the units of the bounds.
struct Cost {
  std::size_t nodes = 0;
  std::size_t text_bytes = 0;
  std::size_t depth = 0;
};

Cost cost_of(const YamlNode& node) {
  Cost cost{1, node.text.size(), 1};
  const auto add = [&cost](const YamlNode& inner) {
    const Cost more = cost_of(inner);
    cost.nodes += more.nodes;
    cost.text_bytes += more.text_bytes;
    cost.depth = std::max(cost.depth, more.depth + 1);
  };
  for (const YamlNode& item : node.items) add(item);
  for (const YamlEntry& entry : node.entries) {
    cost.text_bytes += entry.key.size();
    add(entry.value);
  }
  return cost;
}

/// Builds the tree from yaml-cpp's events, so that the bounds hold while parsing and not only afterwards.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, ConfigProblems& problems) : file_(file), problems_(problems) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_document_)
      throw BoundBroken(line_of(mark), "expected one document in the file, and here a second one begins");
    has_document_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(make(YamlNode::Kind::null, mark), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = make(YamlNode::Kind::scalar, mark);
    node.is_quoted = tag == "!";
    node.text = value;
    spend_text(value.size(), node.line);
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw BoundBroken(line_of(mark), "expected an alias of a finished value, not of itself");
    const Cost cost = cost_of(found->second);
    if (cost.depth + open_.size() > kMaxYamlDepth) throw too_deep(line_of(mark));
    spend_nodes(cost.nodes, line_of(mark));
    spend_text(cost.text_bytes, line_of(mark));
    finish(found->second, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    begin(make(YamlNode::Kind::list, mark), anchor);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    begin(make(YamlNode::Kind::map, mark), anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  /// A list or map whose end has not come yet.
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::optional<YamlNode> key;  ///< of a map's entry whose value has not come yet
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }

  static BoundBroken too_deep(int line) {
    return {line, "expected at most " + std::to_string(kMaxYamlDepth) + " levels of nesting"};
  }

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    spend_nodes(1, line_of(mark));
    YamlNode node;
    node.kind = kind;
    node.line = line_of(mark);
    return node;
  }

  void begin(YamlNode node, YAML::anchor_t anchor) {
    if (open_.size() + 1 >= kMaxYamlDepth) throw too_deep(node.line);
    open_.push_back({std::move(node), anchor, std::nullopt});
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    finish(std::move(done.node), done.anchor);
  }

  void finish(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_.insert_or_assign(anchor, node);
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      parent.key = std::move(node);
    } else {
      add_entry(parent.node, std::move(*parent.key), std::move(node));
      parent.key.reset();
    }
  }

  void add_entry(YamlNode& map, YamlNode key, YamlNode value) {
    if (key.kind != YamlNode::Kind::scalar) {
      problems_.add({file_, key.line, {}, {}, "expected a plain text as key"});
      return;
    }
    // Linear per map, and quadratic over one; 50,000 short compares at most 10^9 in theory, so large maps are refused.
    constexpr std::size_t kMaxEntries = 2000;
    if (map.entries.size() == kMaxEntries) throw BoundBroken(key.line, "expected at most 2000 keys in one map");
    const auto same = std::ranges::find(map.entries, key.text, &YamlEntry::key);
    if (same != map.entries.end()) {
      problems_.add({file_,
                     key.line,
                     key.text,
                     {},
                     "expected each key once; it is already on line " + std::to_string(same->line)});
      return;
    }
    map.entries.push_back({std::move(key.text), key.line, std::move(value)});
  }

  void spend_nodes(std::size_t count, int line) {
    nodes_ += count;
    if (nodes_ > kMaxYamlNodes)
      throw BoundBroken(line, "expected at most " + std::to_string(kMaxYamlNodes) + " values");
  }
  void spend_text(std::size_t bytes, int line) {
    text_bytes_ += bytes;
    if (text_bytes_ > kMaxYamlTextBytes) throw BoundBroken(line, "expected at most 4 MiB of text");
  }

  const std::string& file_;
  ConfigProblems& problems_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t nodes_ = 0;
  std::size_t text_bytes_ = 0;
  bool has_document_ = false;
};

ConfigProblems one_problem(const std::string& file, int line, std::string expected) {
  ConfigProblems problems;
  problems.add({file, line, {}, {}, std::move(expected)});
  return problems;
}

}  // namespace

Loaded<YamlDocument> parse_yaml(std::string_view text, std::string file) {
  if (text.size() > kMaxYamlBytes) return std::unexpected(one_problem(file, 0, "expected a file of at most 1 MiB"));
  ConfigProblems problems;
  TreeBuilder builder(file, problems);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const BoundBroken& broken) {
    problems.add({file, broken.line, {}, {}, broken.expected});
  } catch (const YAML::Exception& failure) {
    const int line = failure.mark.is_null() ? 0 : failure.mark.line + 1;
    problems.add({file, line, {}, {}, "not valid YAML: " + failure.msg});
  } catch (const std::exception& failure) {
    problems.add({file, 0, {}, {}, std::string("not valid YAML: ") + failure.what()});
  }
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  return YamlDocument{std::move(file), builder.take_root()};
}

Loaded<YamlDocument> load_yaml(const std::filesystem::path& path) {
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(path, failure);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return std::unexpected(one_problem(path.string(), 0, "expected a file, and this is a directory or a device"));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return std::unexpected(one_problem(path.string(), 0, std::string("cannot be read: ") + std::strerror(errno)));
  // One byte more than allowed tells that the file is too large without reading all of it.
  std::string text(kMaxYamlBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return parse_yaml(text, path.string());
}

}  // namespace parley::config
