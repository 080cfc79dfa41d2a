#include <algorithm>
#include <array>

#include "agents/kinds/kind.hpp"
#include "agents/kinds/kinds.hpp"
#include "libmsg/core/nearest.hpp"

namespace parley::kinds {

std::span<const Kind> all_kinds() {
  static const std::array kinds{
      kAssistantKind,      kCodeExecutorKind, kCriticKind,       kGroupChatKind,    kHierarchicalKind,
      kKnowledgeBaseKind,  kPipelineKind,     kPlannerKind,      kQuestionDeskKind, kReflectionKind,
      kSemanticRouterKind, kToolHostKind,     kTwoAgentChatKind, kUserProxyKind,
  };
  return kinds;
}

const Kind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(all_kinds(), name, &Kind::name);
  return found == all_kinds().end() ? nullptr : &*found;
}

std::string read_model_name(config::ConfigReader& settings, KindNames& names) {
  constexpr std::string_view kExpected = "expected the name of one of the models of this file";
  std::string name = settings.has("model") ? settings.required_text("model") : std::string();
  if (!settings.has("model")) {
    if (names.models.size() == 1) {
      name = names.models.front();
    } else {
      settings.reject("model", std::string(kExpected));
    }
  }
  if (name.empty()) return name;
  if (std::ranges::find(names.models, name) != names.models.end()) {
    names.used_models.push_back(name);
    return name;
  }
  const std::vector<std::string> nearest = nearest_names(name, names.models, 1);
  std::string expected(kExpected);
  if (!nearest.empty()) expected += " (did you mean '" + nearest.front() + "'?)";
  settings.reject("model", std::move(expected));
  return name;
}

namespace {

/// `files` for a tool or a whole toolset, `files.read` for one tool of a toolset.
bool is_known_tool(const std::string& name, const KindNames& names) {
  if (std::ranges::find(names.tools, name) != names.tools.end()) return true;
  const std::size_t dot = name.find('.');
  return dot != std::string::npos && dot + 1 < name.size() &&
         std::ranges::find(names.toolsets, name.substr(0, dot)) != names.toolsets.end();
}

}  // namespace

std::vector<std::string> read_tool_names(config::ConfigReader& settings, KindNames& names) {
  std::vector<std::string> wanted = settings.texts("tools");
  for (const std::string& name : wanted) {
    if (is_known_tool(name, names)) {
      names.used_tools.push_back(name);
      continue;
    }
    std::string expected = "'" + name + "': expected names of tools of this file";
    const std::vector<std::string> nearest = nearest_names(name, names.tools, 1);
    if (!nearest.empty()) expected += " (did you mean '" + nearest.front() + "'?)";
    settings.reject("tools", std::move(expected));
  }
  return wanted;
}

}  // namespace parley::kinds
