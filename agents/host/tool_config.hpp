// Reads `tools:` and `tool_audit:` of a configuration file. Adding a type of tool is one .cpp file that defines a
// ToolType, and one line in tool_types.cpp. Reading happens before anything runs, any thread.
#pragma once

#include <asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "agents/tools/tool_box.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"
#include "services/config/reader.hpp"

namespace parley::http {
class CurlMulti;
}

namespace parley::monitoring {
class WorkerMetrics;
}

namespace parley::host {

/// What tools share. All must outlive them, except `curl`, which is shared with them.
struct ToolServices {
  asio::io_context& io;
  const Clock& clock;
  Random& random;
  std::shared_ptr<http::CurlMulti> curl;         ///< one connection pool for all tools of the loop
  monitoring::WorkerMetrics* metrics = nullptr;  ///< null: nothing is counted
};

/// One tool, or several that are learned at run time.
using MadeTool = std::variant<std::shared_ptr<tools::Tool>, std::shared_ptr<tools::Toolset>>;

/// Fails with `bad_configuration` when something outside the file is missing: a key in the environment, a program.
using MakeTool = std::function<Result<MadeTool>(ToolServices& services)>;

/// One entry of `tools:`, checked and ready to be made.
struct ToolConfig {
  std::string type;
  tools::ToolPolicy policy;
  bool is_toolset = false;
  MakeTool make;
  int line = 0;  ///< of the entry, for messages
};

/// What the common keys of an entry said, for the type's own reader.
struct ToolCommon {
  std::string name;
  std::string description;
  /// Of the file, for relative paths.
  std::filesystem::path folder;
  std::chrono::milliseconds timeout{};
  /// What the box lets through of a result's text.
  std::size_t max_result_bytes = 0;
};

struct ToolType {
  std::string_view name;
  bool is_toolset;
  std::chrono::milliseconds default_timeout;
  /// Reads the type's own keys (`type` and the other common ones are read before it) and notes problems there. The
  /// result is used only if there were none.
  MakeTool (*read)(config::ConfigReader& settings, const ToolCommon& common);
};

/// Every type, by name.
[[nodiscard]] std::span<const ToolType> all_tool_types();

/// What is kept of each call.
struct ToolAuditConfig {
  enum class Arguments : std::uint8_t { hash, full, none };
  bool is_logged = true;                  ///< a line in the process's log
  std::filesystem::path file;             ///< empty: none
  Arguments arguments = Arguments::hash;  ///< of both
};

/// Adds the entries of `tools:` to those that are there already.
void read_tools(config::ConfigReader& root, std::map<std::string, ToolConfig>& tools);
[[nodiscard]] ToolAuditConfig read_tool_audit(config::ConfigReader& root);

}  // namespace parley::host
