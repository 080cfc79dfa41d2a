#include "agents/host/tool_types.hpp"

#include <array>

namespace parley::host {

std::span<const ToolType> all_tool_types() {
  static const std::array types{kAgentToolType, kCodeToolType,   kHttpToolType, kKnowledgeToolType,
                                kMcpToolType,   kRemoteToolType, kSqlToolType};
  return types;
}

}  // namespace parley::host
