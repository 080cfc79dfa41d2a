#include <algorithm>
#include <array>

#include "agents/kinds/kind.hpp"
#include "agents/kinds/kinds.hpp"
#include "libmsg/core/nearest.hpp"

namespace parley::kinds {

std::span<const Kind> all_kinds() {
  static const std::array<Kind, 3> kinds{kAssistantKind, kSemanticRouterKind, kUserProxyKind};
  return kinds;
}

const Kind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(all_kinds(), name, &Kind::name);
  return found == all_kinds().end() ? nullptr : &*found;
}

std::string read_model_name(config::ConfigReader& settings, const KindNames& names) {
  const std::optional<std::string> name = settings.optional_text("model");
  if (!name && !settings.has("model") && names.models.size() == 1) return names.models.front();
  if (!name) {
    if (!settings.has("model")) settings.reject("model", "expected the name of one of the models of this file");
    return {};
  }
  if (std::ranges::find(names.models, *name) == names.models.end()) {
    const std::vector<std::string> nearest = nearest_names(*name, names.models, 1);
    std::string expected = "expected the name of one of the models of this file";
    if (!nearest.empty()) expected += " (did you mean '" + nearest.front() + "'?)";
    settings.reject("model", std::move(expected));
  }
  return *name;
}

}  // namespace parley::kinds
