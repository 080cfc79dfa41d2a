// An assistant on a local runtime, with a scripted model and tools that do what a test says.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/llm/pause.hpp"
#include "tests/unit/agents/kinds_fixture.hpp"

namespace parley::kinds {

using messages::TeamEvent;
using messages::ThreadMessage;
using messages::ToolCall;
using messages::ToolResult;
using messages::TurnRequest;
using messages::Usage;

/// Answers at once, or when the test lets it.
class FakeTool final : public tools::Tool {
 public:
  using Work = std::function<Task<Result<ToolResult>>(nlohmann::json arguments, tools::ToolContext& context)>;

  FakeTool(std::string name, Work work) : spec_{std::move(name), "a fake"}, work_(std::move(work)) {}

  const llm::ToolSpec& spec() const override { return spec_; }
  Task<Result<ToolResult>> call(nlohmann::json arguments, tools::ToolContext& context) override {
    calls++;
    return work_(std::move(arguments), context);
  }

  int calls = 0;

 private:
  llm::ToolSpec spec_;
  Work work_;
};

inline ToolResult result_of(std::string content) {
  ToolResult result;
  result.content = std::move(content);
  return result;
}

struct AssistantFixture : KindsFixture {
  AssistantFixture() { services.model = model; }

  /// Under the type `hr`, with what `options`, `services` and `tools` say then.
  void host_assistant() {
    services.tools = tools::ToolBox(boxed_);
    const auto shared_options = std::make_shared<const AssistantOptions>(options);
    const auto shared_services = std::make_shared<const AssistantServices>(services);
    host("hr", [shared_options, shared_services](const AgentId&) {
      return std::make_unique<Assistant>(shared_options, shared_services);
    });
  }

  std::shared_ptr<FakeTool> add_tool(std::string name, FakeTool::Work work) {
    auto tool = std::make_shared<FakeTool>(std::move(name), std::move(work));
    boxed_.push_back({tool, {}});
    return tool;
  }
  /// A tool that gives `content`.
  std::shared_ptr<FakeTool> add_tool(std::string name, std::string content) {
    return add_tool(std::move(name), [content](nlohmann::json, tools::ToolContext&) -> Task<Result<ToolResult>> {
      co_return result_of(content);
    });
  }

  void set_prompt(std::string_view text) {
    const std::vector<std::string> known{"agent", "conversation", "date", "members", "style"};
    options.system_prompt = *PromptTemplate::parse(text, known);
  }

  const std::vector<llm::ChatMessage>& asked(std::size_t call) const { return model->requests.at(call).messages; }

  AssistantOptions options;
  std::shared_ptr<test::ScriptedModel> model = std::make_shared<test::ScriptedModel>();
  AssistantServices services;

 private:
  std::vector<tools::GuardedTool> boxed_;
};

}  // namespace parley::kinds
