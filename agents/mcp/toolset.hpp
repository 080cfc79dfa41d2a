// The tools of an MCP server as a toolset. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "agents/mcp/client.hpp"
#include "agents/tools/tool.hpp"

namespace parley::mcp {

class McpToolset final : public tools::Toolset {
 public:
  /// `prefix` stands before each name that a model sees.
  McpToolset(std::unique_ptr<Client> client, std::string prefix)
      : client_(std::move(client)), prefix_(std::move(prefix)) {}

  [[nodiscard]] Task<Result<std::shared_ptr<const tools::ToolsetListing>>> list(Context& turn) override;
  [[nodiscard]] Task<> stop(TimePoint deadline) override;

 private:
  /// Shared with the tools, which a call under way keeps alive.
  std::shared_ptr<Client> client_;
  std::string prefix_;
  std::shared_ptr<const Offer> offer_;
  std::shared_ptr<const tools::ToolsetListing> listing_;
};

}  // namespace parley::mcp
