#include "agents/kinds/tool_host.hpp"

#include "agents/kinds/kinds.hpp"

namespace parley::kinds {

using messages::ToolCall;
using messages::ToolList;
using messages::ToolListing;
using messages::ToolResult;

Task<Result<ToolResult>> ToolHost::on(const ToolCall& call, Context& context) {
  co_return co_await tools_.run(call, context);
}

Task<Result<ToolListing>> ToolHost::on(const ToolList& question, Context& context) {
  co_await tools_.refresh(context);
  ToolListing listing;
  for (const llm::ToolSpec& spec : tools_.specs()) {
    if (!question.name.empty() && question.name != spec.name) continue;
    listing.tools.push_back({spec.name, spec.description, spec.parameters});
  }
  co_return listing;
}

namespace {

MakeFactory read_tool_host(config::ConfigReader& settings, KindNames& names) {
  std::vector<std::string> tools = read_tool_names(settings, names);
  if (tools.empty() && !settings.has("tools")) {
    settings.reject("tools", "expected a list with at least one of the tools of this file");
  }
  return [tools = std::move(tools)](const KindServices& services) -> AgentFactory {
    return [box = services.tools(tools)](const AgentId&) { return std::make_unique<ToolHost>(box); };
  };
}

}  // namespace

const Kind kToolHostKind{"tool_host", "hosts tools for agents of other processes", &read_tool_host};

}  // namespace parley::kinds
