// The tools that one agent may use, and how it uses them: looked up by name, arguments parsed and validated, a person
// asked where the policy says so, the call kept within its time, the result cut at its limit, the observer told.
//
//     tools::ToolBox box = services.tools(names);
//     co_await box.refresh(context);                       // at the beginning of a turn
//     request.tools = box.specs();
//     Result<ToolResult> result = co_await box.run(call, context);
//
// Copies share everything. Loop thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/tools/approval.hpp"
#include "agents/tools/tool.hpp"
#include "agents/tools/tool_record.hpp"

namespace parley::tools {

/// How one tool may be used.
struct ToolPolicy {
  std::chrono::milliseconds timeout{60'000};
  std::size_t max_result_bytes = std::size_t{64} * 1024;
  ApprovalRule approval = {};
};

/// A tool and its policy; shared by all agents of a process that use it.
struct GuardedTool {
  std::shared_ptr<Tool> tool;
  ToolPolicy policy;
};

/// A toolset and the policy of each of its tools.
struct GuardedToolset {
  std::string name;  ///< in the configuration, for messages
  std::shared_ptr<Toolset> tools;
  ToolPolicy policy;
  /// Own names of the members that may be used; unset: all.
  std::optional<std::vector<std::string>> only = std::nullopt;
};

class ToolBox {
 public:
  ToolBox();
  /// Without an observer nobody is told. The first of two tools with one name is used, and a warning logged. A tool
  /// whose schema is none is left out, with a warning, too.
  explicit ToolBox(std::vector<GuardedTool> tools, std::vector<GuardedToolset> toolsets = {},
                   std::shared_ptr<ToolObserver> observer = nullptr);

  /// True when there is nothing, and nothing can come.
  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] bool has(const std::string& name) const;
  /// What the model is to be told, in the order in which the tools were given. Of toolsets what the last refresh()
  /// brought; the reference is valid until the next one.
  [[nodiscard]] const std::vector<llm::ToolSpec>& specs() const;

  /// Brings the toolsets up to date; at once when there are none or nothing has aged. A toolset that cannot be reached
  /// keeps its tools, and a warning is logged once.
  [[nodiscard]] Task<> refresh(Context& turn) const;

  /// Uses a tool. An unknown name, arguments that are not JSON or do not fit, a refusal, a failure and the end of its
  /// time are results with is_error. Fails only with `cancelled`, when the turn was.
  [[nodiscard]] Task<Result<messages::ToolResult>> run(const messages::ToolCall& call, Context& turn) const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace parley::tools
