#include "agents/tools/remote_tools.hpp"

#include <utility>
#include <vector>

#include "agents/tools/agent_tool.hpp"
#include "agents/tools/tool_name.hpp"

namespace parley::tools {

using messages::ToolCall;
using messages::ToolList;
using messages::ToolListing;
using messages::ToolResult;

namespace {

constexpr std::chrono::seconds kListTimeout{5};
/// After a failure the next turns go on at once with what is known.
constexpr std::chrono::seconds kRetryPause{5};

class RemoteTool final : public Tool {
 public:
  RemoteTool(std::string target, std::string own_name, llm::ToolSpec spec)
      : target_(std::move(target)), own_name_(std::move(own_name)), spec_(std::move(spec)) {}

  [[nodiscard]] const llm::ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] Task<Result<ToolResult>> call(nlohmann::json arguments, ToolContext& context) override {
    // A key of its own for each call, so that calls run side by side and spread over the workers that host the tool.
    const std::string key = conversation_of(context.turn) + ":" + context.call_id;
    Result<Target> target = Target::parse(with_key(target_, key));
    if (!target) co_return fail(std::move(target).error());
    const ToolCall call{context.call_id, own_name_, arguments.dump()};
    CallOptions options;
    options.timeout = std::chrono::ceil<std::chrono::milliseconds>(context.deadline - context.turn.now());
    co_return co_await context.turn.request<ToolResult>(std::move(*target), call, std::move(options));
  }

 private:
  std::string target_;
  std::string own_name_;
  llm::ToolSpec spec_;
};

}  // namespace

Task<Result<std::shared_ptr<const ToolsetListing>>> RemoteTools::list(Context& turn) {
  if (turn.now() < next_) {
    if (tools_ == nullptr) co_return fail(failure_);
    co_return tools_;
  }
  Result<Target> target = Target::parse(with_key(options_.target, "default"));
  if (!target) co_return fail(std::move(target).error());
  const ToolList question;
  CallOptions options;
  options.timeout = kListTimeout;
  Result<ToolListing> listing = co_await turn.request<ToolListing>(std::move(*target), question, std::move(options));
  if (!listing) {
    failure_ = listing.error();
    next_ = turn.now() + kRetryPause;
    co_return fail(std::move(listing).error());
  }
  next_ = turn.now() + options_.refresh;
  if (tools_ == nullptr || *listing != last_) take(std::move(*listing));
  co_return tools_;
}

void RemoteTools::take(ToolListing listing) {
  last_ = std::move(listing);
  auto tools = std::make_shared<ToolsetListing>();
  for (const messages::ToolDescription& each : last_.tools) {
    llm::ToolSpec spec{tool_name_for_models(options_.prefix, each.name), each.description, each.parameters};
    tools->push_back({each.name, std::make_shared<RemoteTool>(options_.target, each.name, std::move(spec))});
  }
  tools_ = std::move(tools);
}

}  // namespace parley::tools
