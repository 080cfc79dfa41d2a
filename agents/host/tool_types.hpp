// The types of tools themselves, for tool_types.cpp. Each is defined in the file of its name.
#pragma once

#include "agents/host/tool_config.hpp"

namespace parley::host {

extern const ToolType kAgentToolType;      // agent_tool_config.cpp
extern const ToolType kCodeToolType;       // code_tool_config.cpp
extern const ToolType kHttpToolType;       // http_tool_config.cpp
extern const ToolType kKnowledgeToolType;  // knowledge_tool_config.cpp
extern const ToolType kMcpToolType;        // mcp_tool_config.cpp
extern const ToolType kRemoteToolType;     // agent_tool_config.cpp
extern const ToolType kSqlToolType;        // sql_tool_config.cpp

}  // namespace parley::host
