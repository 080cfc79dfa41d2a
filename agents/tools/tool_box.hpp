// The tools that one agent may use, and how it uses them: looked up by name, arguments parsed and validated, the call
// kept within its time, the result cut at its limit. Loop thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/tools/tool.hpp"

namespace parley::tools {

/// How one tool may be used.
struct ToolPolicy {
  std::chrono::milliseconds timeout{60'000};
  std::size_t max_result_bytes = std::size_t{64} * 1024;
};

/// A tool and its policy; shared by all agents of a process that use it.
struct GuardedTool {
  std::shared_ptr<Tool> tool;
  ToolPolicy policy;
};

class ToolBox {
 public:
  ToolBox() = default;
  explicit ToolBox(std::vector<GuardedTool> tools);

  [[nodiscard]] bool is_empty() const { return tools_.empty(); }
  [[nodiscard]] bool has(const std::string& name) const { return tools_.contains(name); }
  /// What the model is to be told, in the order in which the tools were given.
  [[nodiscard]] const std::vector<llm::ToolSpec>& specs() const { return specs_; }

  /// Uses a tool. An unknown name, arguments that are not JSON or do not fit, a refusal, a failure and the end of its
  /// time are results with is_error. Fails only with `cancelled`, when the turn was.
  [[nodiscard]] Task<Result<messages::ToolResult>> run(const messages::ToolCall& call, Context& turn) const;

 private:
  std::map<std::string, GuardedTool> tools_;
  std::vector<llm::ToolSpec> specs_;
};

}  // namespace parley::tools
