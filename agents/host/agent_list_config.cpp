#include "agents/host/agent_list_config.hpp"

#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "libmsg/core/nearest.hpp"
#include "libmsg/messages/conversation.hpp"

namespace parley::host {

using config::ConfigReader;

namespace {

std::vector<TopicFilter> read_subscriptions(ConfigReader& reader) {
  std::vector<TopicFilter> filters;
  for (const std::string& text : reader.texts("subscriptions")) {
    Result<TopicFilter> filter = TopicFilter::parse(text);
    if (filter) {
      filters.push_back(std::move(*filter));
    } else {
      reader.reject("subscriptions", filter.error().message);
    }
  }
  return filters;
}

TypeOptions read_type_options(ConfigReader& reader) {
  using std::chrono::milliseconds;
  TypeOptions options;
  options.capabilities = reader.texts("capabilities");
  for (const std::string& capability : options.capabilities) {
    if (is_valid_agent_type(capability)) continue;
    reader.reject("capabilities", "'" + capability + "': expected letters, digits and _ . -");
  }
  options.capacity = static_cast<std::uint32_t>(reader.integer("capacity", options.capacity, {1, 1000}));
  options.is_reentrant = reader.flag("reentrant", options.is_reentrant);
  options.max_mailbox = static_cast<std::uint32_t>(reader.integer("max_mailbox", options.max_mailbox, {1, 1'000'000}));
  options.idle_timeout =
      reader.duration("idle_timeout", options.idle_timeout, {milliseconds(0), milliseconds(86'400'000)});
  options.progress_timeout = reader.duration("handler_progress_timeout", options.progress_timeout,
                                             {milliseconds(1000), milliseconds(86'400'000)});
  return options;
}

kinds::MakeFactory read_kind(ConfigReader& reader, const std::string& name, kinds::KindNames& names) {
  const kinds::Kind* kind = kinds::find_kind(name);
  if (kind != nullptr) {
    kinds::MakeFactory make = kind->read(reader, names);
    reader.reject_unknown_keys();
    return make;
  }
  // Without a kind nobody can tell which of its other keys are right, so they are not looked at.
  std::vector<std::string> known;
  for (const kinds::Kind& each : kinds::all_kinds()) known.emplace_back(each.name);
  std::string expected = "expected one of";
  for (const std::string& each : known) expected += (&each == &known.front() ? " " : ", ") + each;
  const std::vector<std::string> nearest = nearest_names(name, known, 1);
  if (!nearest.empty()) expected += " (did you mean '" + nearest.front() + "'?)";
  reader.reject("kind", std::move(expected));
  return {};
}

}  // namespace

std::vector<AgentConfig> read_agent_list(ConfigReader& reader, const AgentsConfig& config) {
  std::vector<std::string> model_names;
  model_names.reserve(config.models.size());
  for (const auto& [name, model] : config.models) model_names.push_back(name);
  std::vector<std::string> tool_names;
  tool_names.reserve(config.tools.size());
  std::vector<std::string> toolset_names;
  for (const auto& [name, tool] : config.tools) {
    tool_names.push_back(name);
    if (tool.is_toolset) toolset_names.push_back(name);
  }
  std::vector<AgentConfig> agents;
  std::set<std::string> types;
  for (ConfigReader& entry : reader.children("agents")) {
    AgentConfig agent;
    agent.type = entry.required_text("type");
    agent.kind = entry.text("kind");
    if (!agent.type.empty() && !is_valid_agent_type(agent.type)) {
      entry.reject("type", "expected letters, digits and _ . -, at most 128");
    } else if (!agent.type.empty() && !types.insert(agent.type).second) {
      entry.reject("type", "expected each agent type once in a worker");
    }
    agent.options = read_type_options(entry);
    agent.subscriptions = read_subscriptions(entry);
    kinds::KindNames names{.models = model_names, .tools = tool_names, .toolsets = toolset_names};
    agent.make_factory = read_kind(entry, agent.kind, names);
    agent.models = std::move(names.used_models);
    agent.tools = std::move(names.used_tools);
    agent.members = std::move(names.used_agents);
    agent.has_money_limit = names.has_money_limit;
    const kinds::Kind* kind = kinds::find_kind(agent.kind);
    agent.is_team = kind != nullptr && kind->is_team;
    if (agent.is_team) agent.options.interleaved.emplace_back(messages::Stop::kTypeName);
    agent.checks = std::move(names.checks);
    agents.push_back(std::move(agent));
  }
  if (agents.empty()) reader.reject("agents", "expected a list with at least one agent");
  return agents;
}

}  // namespace parley::host
