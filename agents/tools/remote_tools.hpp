// The tools of another worker (an agent of kind `tool_host`) as if they were here. Loop thread only.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "agents/tools/tool.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::tools {

struct RemoteToolsOptions {
  std::string name;    ///< in the configuration, for messages
  std::string target;  ///< agent type, `type/key` or `@capability`
  std::string prefix;  ///< in front of each tool's name
  /// How long a listing is good.
  std::chrono::milliseconds refresh{60'000};
};

class RemoteTools final : public Toolset {
 public:
  explicit RemoteTools(RemoteToolsOptions options) : options_(std::move(options)) {}

  [[nodiscard]] Task<Result<std::shared_ptr<const ToolsetListing>>> list(Context& turn) override;

 private:
  void take(messages::ToolListing listing);

  RemoteToolsOptions options_;
  messages::ToolListing last_;
  std::shared_ptr<const ToolsetListing> tools_;
  /// Not asked again before.
  TimePoint next_{};
  Error failure_;
};

}  // namespace parley::tools
