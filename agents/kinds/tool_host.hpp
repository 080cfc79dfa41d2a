// Hosts tools for agents of other processes: `parley.ToolCall` → `parley.ToolResult`, `parley.ToolList` →
// `parley.ToolListing`. Each tool's own policy (time, size, approval, audit) holds here. It keeps nothing between
// calls, so its key means nothing; callers use a key for each call, and calls run side by side. Loop thread only.
#pragma once

#include <utility>

#include "agents/tools/tool_box.hpp"
#include "libmsg/messages/tools.hpp"
#include "libmsg/runtime/agent.hpp"

namespace parley::kinds {

class ToolHost final : public TypedAgent<ToolHost, messages::ToolCall, messages::ToolList> {
 public:
  explicit ToolHost(tools::ToolBox tools) : tools_(std::move(tools)) {}

  Task<Result<messages::ToolResult>> on(const messages::ToolCall& call, Context& context);
  Task<Result<messages::ToolListing>> on(const messages::ToolList& question, Context& context);

 private:
  tools::ToolBox tools_;
};

}  // namespace parley::kinds
