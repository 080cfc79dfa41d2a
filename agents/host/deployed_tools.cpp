#include "agents/host/deployed_tools.hpp"

#include <algorithm>
#include <optional>

namespace parley::host {

namespace {

std::string entry_of(const std::string& name) { return name.substr(0, name.find('.')); }

/// `read` of `files.read`; nullopt for the whole toolset.
std::optional<std::string> member_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot == std::string::npos ? std::nullopt : std::optional(name.substr(dot + 1));
}

/// Several names may ask for members of one toolset.
void add_member(std::vector<tools::GuardedToolset>& sets, tools::GuardedToolset set,
                const std::optional<std::string>& member) {
  const auto known = std::ranges::find(sets, set.name, &tools::GuardedToolset::name);
  if (known == sets.end()) {
    if (member) set.only = {*member};
    sets.push_back(std::move(set));
  } else if (!member) {
    known->only.reset();
  } else if (known->only) {
    known->only->push_back(*member);
  }
}

}  // namespace

void DeployedTools::prepare(const AgentsConfig& config, const AgentConfig& agent,
                            std::shared_ptr<http::CurlMulti>& curl, config::ConfigProblems& problems) {
  services_.curl = curl;
  make_audit(config, problems);
  for (const std::string& name : agent.tools) make_tool(config, entry_of(name), problems);
  curl = services_.curl;
}

void DeployedTools::make_audit(const AgentsConfig& config, config::ConfigProblems& problems) {
  const Key key{config.name, ""};  // No tool has this name.
  if (audits_.contains(config.name) || hopeless_.contains(key)) return;
  Result<std::shared_ptr<ToolAudit>> audit = ToolAudit::make(config.tool_audit, services_.clock, metrics_);
  if (!audit) {
    hopeless_.insert(key);
    problems.add({config.file.string(), 0, {}, {}, audit.error().message});
    return;
  }
  (*audit)->set_span_sink(spans_);
  audits_.emplace(config.name, std::move(*audit));
}

void DeployedTools::make_tool(const AgentsConfig& config, const std::string& name, config::ConfigProblems& problems) {
  const Key key{config.name, name};
  if (tools_.contains(key) || hopeless_.contains(key)) return;
  const ToolConfig& about = config.tools.at(name);
  Result<MadeTool> made = about.make(services_);
  if (made) {
    tools_.emplace(key, std::move(*made));
  } else {
    hopeless_.insert(key);
    problems.add({config.file.string(), about.line, "tools." + name, {}, made.error().message});
  }
}

Task<> DeployedTools::stop(TimePoint deadline) {
  for (const auto& [key, made] : tools_) {
    const auto* set = std::get_if<std::shared_ptr<tools::Toolset>>(&made);
    if (set != nullptr) co_await (*set)->stop(deadline);
  }
}

tools::ToolBox DeployedTools::box_for(const AgentsConfig& config, const std::string& agent_type,
                                      const std::vector<std::string>& names) {
  std::vector<tools::GuardedTool> single;
  std::vector<tools::GuardedToolset> sets;
  for (const std::string& name : names) {
    const std::string entry = entry_of(name);
    const tools::ToolPolicy& policy = config.tools.at(entry).policy;
    const MadeTool& made = tools_.at({config.name, entry});
    if (const auto* tool = std::get_if<std::shared_ptr<tools::Tool>>(&made)) {
      single.push_back({*tool, policy});
      if (metrics_ != nullptr) metrics_->add_tool(agent_type, entry);
    } else {
      add_member(sets, {entry, std::get<std::shared_ptr<tools::Toolset>>(made), policy}, member_of(name));
    }
  }
  if (single.empty() && sets.empty()) return {};
  return tools::ToolBox(std::move(single), std::move(sets), audits_.at(config.name));
}

}  // namespace parley::host
