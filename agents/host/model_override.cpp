#include "agents/host/model_override.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agents/host/model_config.hpp"

namespace parley::host {
namespace {

using config::ConfigProblems;
using config::YamlDocument;
using config::YamlEntry;
using config::YamlNode;

constexpr std::string_view kEveryModel = "*";

YamlNode scalar(std::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.line = 1;
  node.is_quoted = true;
  node.text = text;
  return node;
}

/// `PROVIDER:MODEL` as the map that it stands for.
YamlNode short_form(std::string_view settings) {
  const std::size_t colon = settings.find(':');
  YamlNode node;
  node.kind = YamlNode::Kind::map;
  node.line = 1;
  node.entries.push_back({"provider", 1, scalar(settings.substr(0, colon))});
  if (colon != std::string_view::npos) node.entries.push_back({"model", 1, scalar(settings.substr(colon + 1))});
  return node;
}

config::Loaded<YamlDocument> parse_settings(std::string_view settings, const std::string& title) {
  if (settings.starts_with('{')) return config::parse_yaml(settings, title);
  return YamlDocument{title, short_form(settings)};
}

YamlNode* value_of(YamlNode& map, std::string_view key) {
  const auto found = std::ranges::find(map.entries, key, &YamlEntry::key);
  return found == map.entries.end() ? nullptr : &found->value;
}

bool is_chain(YamlNode& model) {
  const YamlNode* provider = value_of(model, "provider");
  return provider != nullptr && provider->text == "fallback";
}

const ModelOverride* override_of(YamlEntry& model, std::span<const ModelOverride> overrides) {
  const auto named = std::ranges::find(overrides, model.key, &ModelOverride::name);
  if (named != overrides.end()) return &*named;
  const auto every = std::ranges::find(overrides, kEveryModel, &ModelOverride::name);
  return every == overrides.end() || is_chain(model.value) ? nullptr : &*every;
}

void override_in(YamlNode& root, std::span<const ModelOverride> overrides) {
  YamlNode* models = value_of(root, "models");
  if (models == nullptr) return;
  for (YamlEntry& model : models->entries) {
    const ModelOverride* other = override_of(model, overrides);
    if (other == nullptr) continue;
    const int line = model.value.line;
    model.value = other->settings;
    model.value.line = line;
  }
}

}  // namespace

config::Loaded<std::vector<ModelOverride>> read_model_overrides(const std::vector<std::string>& texts) {
  ConfigProblems problems;
  std::vector<ModelOverride> overrides;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string title = "--model " + name;
    if (equals == std::string::npos || name.empty()) {
      problems.add({"--model", 0, {}, text, "expected NAME=PROVIDER:MODEL or NAME={provider: …, model: …}"});
      continue;
    }
    config::Loaded<YamlDocument> settings = parse_settings(std::string_view(text).substr(equals + 1), title);
    if (!settings) {
      problems.append(settings.error());
      continue;
    }
    config::ConfigReader reader(*settings, problems);
    if (settings->root.kind == YamlNode::Kind::map) (void)read_model(name, reader);
    overrides.push_back({name, text, std::move(settings->root)});
  }
  if (!problems.is_empty()) return std::unexpected(std::move(problems));
  return overrides;
}

void override_models(YamlDocument& document, std::span<const ModelOverride> overrides) {
  if (overrides.empty()) return;
  override_in(document.root, overrides);
  YamlNode* workers = value_of(document.root, "workers");
  if (workers == nullptr) return;
  for (YamlNode& worker : workers->items) override_in(worker, overrides);
}

ConfigProblems unknown_overrides(std::span<const ModelOverride> overrides, const std::set<std::string>& models,
                                 const std::string& file) {
  std::string listed;
  for (const std::string& name : models) listed += (listed.empty() ? "" : ", ") + name;
  ConfigProblems problems;
  for (const ModelOverride& each : overrides) {
    if (each.name == kEveryModel || models.contains(each.name)) continue;
    problems.add({file, 0, "models", each.name, "no model has this name; there are " + listed});
  }
  return problems;
}

}  // namespace parley::host
