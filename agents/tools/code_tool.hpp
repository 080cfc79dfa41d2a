// Tool type `code`: a model runs Python or shell code in the sandbox. Each conversation has a work folder of its own,
// which its calls share. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "agents/sandbox/sandbox.hpp"
#include "agents/sandbox/work_folders.hpp"
#include "agents/tools/tool.hpp"

namespace parley::tools {

struct CodeToolOptions {
  std::string name = "code";
  /// Instead of the tool's own description, if it is not empty.
  std::string description;
  sandbox::WorkFolderLimits folders;
};

class CodeTool final : public Tool {
 public:
  CodeTool(CodeToolOptions options, std::shared_ptr<sandbox::Sandbox> sandbox);

  [[nodiscard]] const llm::ToolSpec& spec() const override { return spec_; }
  /// Code that fails is a result with is_error that says how, so that the model can mend it.
  [[nodiscard]] Task<Result<messages::ToolResult>> call(nlohmann::json arguments, ToolContext& context) override;

 private:
  std::shared_ptr<sandbox::Sandbox> sandbox_;
  std::shared_ptr<sandbox::WorkFolders> folders_;
  llm::ToolSpec spec_;
};

}  // namespace parley::tools
