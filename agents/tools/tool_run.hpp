// One call of one tool, from the arguments' text to the result: what ToolBox::run does once it has found the tool.
// Internal to ToolBox; loop thread only.
#pragma once

#include <string>

#include "agents/tools/schema.hpp"
#include "agents/tools/tool_box.hpp"

namespace parley::tools {

/// A tool that is ready to be used.
struct ReadyTool {
  GuardedTool guarded;
  JsonSchema schema;
};

/// What came of a call, for the observer.
struct ToolRun {
  ToolOutcome outcome = ToolOutcome::ok;
  std::string approved_by = {};
  Duration duration{};
  Duration waited{};
};

/// A result that says what went wrong.
[[nodiscard]] messages::ToolResult failed_result(const messages::ToolCall& call, std::string reason);

/// As ToolBox::run; notes in `run` how it went.
[[nodiscard]] Task<Result<messages::ToolResult>> run_tool(const ReadyTool& tool, const messages::ToolCall& call,
                                                          Context& turn, ToolRun& run);

}  // namespace parley::tools
