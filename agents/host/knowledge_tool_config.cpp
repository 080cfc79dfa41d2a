// `type: knowledge`.
#include <utility>

#include "agents/host/tool_types.hpp"
#include "agents/kinds/knowledge_settings.hpp"
#include "agents/tools/knowledge_tools.hpp"

namespace parley::host {
namespace {

MakeTool read_knowledge_tool(config::ConfigReader& settings, const ToolCommon& common) {
  const std::string prefix = settings.text("prefix", common.name + "_");
  tools::KnowledgeSource source = kinds::read_knowledge_source(settings);
  return [prefix, source = std::move(source)](ToolServices&) -> Result<MadeTool> {
    return std::make_shared<tools::KnowledgeTools>(prefix, source);
  };
}

}  // namespace

const ToolType kKnowledgeToolType{"knowledge", true, std::chrono::milliseconds(10'000), &read_knowledge_tool};

}  // namespace parley::host
