// `type: code`.
#include <chrono>
#include <utility>

#include "agents/host/tool_types.hpp"
#include "agents/kinds/sandbox_config.hpp"
#include "agents/tools/code_tool.hpp"

namespace parley::host {
namespace {

/// The code's own time and what it takes to set up and to take the files back.
constexpr std::chrono::milliseconds kCodeTimeout{75'000};

MakeTool read_code_tool(config::ConfigReader& settings, const ToolCommon& common) {
  using std::chrono::milliseconds;
  tools::CodeToolOptions options;
  options.name = common.name;
  options.description = common.description;
  options.folders.max_folders = settings.integer("max_folders", options.folders.max_folders, {1, 10'000});
  options.folders.idle = settings.duration("folder_idle", options.folders.idle,
                                           {milliseconds(1000), milliseconds(std::chrono::hours(24))});
  sandbox::SandboxOptions walls = kinds::read_sandbox(settings);
  return [options = std::move(options), walls = std::move(walls)](ToolServices&) -> Result<MadeTool> {
    Result<std::shared_ptr<sandbox::Sandbox>> opened = sandbox::Sandbox::open(walls);
    if (!opened) return fail(std::move(opened).error());
    return std::make_shared<tools::CodeTool>(options, std::move(*opened));
  };
}

}  // namespace

const ToolType kCodeToolType{"code", false, kCodeTimeout, &read_code_tool};

}  // namespace parley::host
