// Another agent as a tool: the model gives it a task in words and gets its answer. What the agent's team does on the
// way streams through to whoever watches the turn. Loop thread only.
#pragma once

#include <string>

#include "agents/tools/tool.hpp"

namespace parley::tools {

struct AgentToolOptions {
  std::string name;
  std::string description;
  /// Agent type, `type/key` or `@capability`. Without a key: the conversation's, else the asking agent's own.
  std::string target;
};

class AgentTool final : public Tool {
 public:
  explicit AgentTool(AgentToolOptions options);

  [[nodiscard]] const llm::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] Task<Result<messages::ToolResult>> call(nlohmann::json arguments, ToolContext& context) override;

 private:
  std::string target_;
  llm::ToolSpec spec_;
};

/// `target` with a key added when it has none. Keys are at most 256 bytes of printable ASCII; others become a hash.
[[nodiscard]] std::string with_key(const std::string& target, const std::string& key);

/// The conversation of a turn, else the key of its agent.
[[nodiscard]] std::string conversation_of(const Context& turn);

}  // namespace parley::tools
