#include "agents/tools/tool_box.hpp"

#include <utility>

namespace parley::tools {

using messages::ToolCall;
using messages::ToolResult;

namespace {

ToolResult failed(const ToolCall& call, std::string reason) {
  return {.id = call.id,
          .name = call.name,
          .content = std::move(reason),
          .is_error = true,
          .is_truncated = false,
          .files = {}};
}

}  // namespace

ToolBox::ToolBox(std::vector<GuardedTool> tools) {
  for (GuardedTool& each : tools) {
    specs_.push_back(each.tool->spec());
    const std::string& name = specs_.back().name;
    tools_.emplace(name, std::move(each));
  }
}

Task<Result<ToolResult>> ToolBox::run(const ToolCall& call, Context& turn) const {
  const auto found = tools_.find(call.name);
  if (found == tools_.end()) co_return failed(call, "there is no tool '" + call.name + "'");
  nlohmann::json arguments = nlohmann::json::parse(call.arguments.empty() ? "{}" : call.arguments, nullptr, false);
  if (!arguments.is_object()) co_return failed(call, "the arguments are not a JSON object");
  ToolContext context{turn, call.id, turn.now() + found->second.policy.timeout};
  Result<ToolResult> result = co_await found->second.tool->call(std::move(arguments), context);
  if (!result) {
    if (result.error().code == ErrorCode::cancelled) co_return fail(std::move(result).error());
    co_return failed(call, to_string(result.error().code) + ": " + result.error().message);
  }
  result->id = call.id;
  result->name = call.name;
  co_return result;
}

}  // namespace parley::tools
