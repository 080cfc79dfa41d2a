// `type: agent` and `type: remote`: what other agents offer.
#include <utility>

#include "agents/host/tool_types.hpp"
#include "agents/tools/agent_tool.hpp"
#include "agents/tools/remote_tools.hpp"
#include "libmsg/runtime/messenger.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using std::chrono::milliseconds;

std::string read_target(ConfigReader& settings) {
  std::string target = settings.required_text("target");
  if (target.empty()) return target;
  const Result<Target> parsed = Target::parse(target);
  if (!parsed) settings.reject("target", "expected an agent type, `type/key` or `@capability`");
  return target;
}

MakeTool read_agent_tool(ConfigReader& settings, const ToolCommon& common) {
  tools::AgentToolOptions options;
  options.name = common.name;
  options.description = common.description;
  options.target = read_target(settings);
  if (options.description.empty()) {
    settings.reject("description", "expected a text: the model decides by it when to ask the agent");
  }
  return [options = std::move(options)](ToolServices&) -> Result<MadeTool> {
    return std::make_shared<tools::AgentTool>(options);
  };
}

MakeTool read_remote(ConfigReader& settings, const ToolCommon& common) {
  tools::RemoteToolsOptions options;
  options.name = common.name;
  options.target = read_target(settings);
  options.prefix = settings.text("prefix");
  options.refresh = settings.duration("refresh", options.refresh, {milliseconds(1000), milliseconds(86'400'000)});
  return [options = std::move(options)](ToolServices&) -> Result<MadeTool> {
    return std::make_shared<tools::RemoteTools>(options);
  };
}

}  // namespace

const ToolType kAgentToolType{"agent", false, milliseconds(300'000), &read_agent_tool};
const ToolType kRemoteToolType{"remote", true, milliseconds(60'000), &read_remote};

}  // namespace parley::host
