#include "agents/mcp/toolset.hpp"

#include <set>
#include <utility>

#include "agents/tools/tool_name.hpp"

namespace parley::mcp {

using messages::ToolResult;
using tools::ToolsetListing;

namespace {

class McpTool final : public tools::Tool {
 public:
  McpTool(std::shared_ptr<Client> client, ToolInfo info, std::string name)
      : client_(std::move(client)),
        info_(std::move(info)),
        spec_{std::move(name), info_.description.empty() ? info_.name : info_.description,
              info_.schema.dump(-1, ' ', false, Json::error_handler_t::replace)} {}

  [[nodiscard]] const llm::ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] Task<Result<ToolResult>> call(Json arguments, tools::ToolContext& context) override {
    const std::shared_ptr<Client> client = client_;
    co_return co_await client->call(info_, arguments, context.turn, context.deadline);
  }

 private:
  std::shared_ptr<Client> client_;
  ToolInfo info_;
  llm::ToolSpec spec_;
};

}  // namespace

Task<> McpToolset::stop(TimePoint deadline) {
  const std::shared_ptr<Client> client = client_;
  co_await client->stop(deadline);
}

Task<Result<std::shared_ptr<const ToolsetListing>>> McpToolset::list(Context& /*turn*/) {
  const std::shared_ptr<Client> client = client_;
  Result<std::shared_ptr<const Offer>> offer = co_await client->tools();
  if (!offer) co_return fail(std::move(offer).error());
  if (*offer == offer_) co_return listing_;
  auto listing = std::make_shared<ToolsetListing>();
  std::set<std::string> names;
  for (const ToolInfo& each : (*offer)->tools) {
    std::string name = tools::tool_name_for_models(prefix_, each.name);
    // `a.b` and `a_b` are one name to a model.
    for (int i = 2; !names.insert(name).second; ++i) {
      name = tools::tool_name_for_models(prefix_, each.name + "_" + std::to_string(i));
    }
    listing->push_back({each.name, std::make_shared<McpTool>(client, each, std::move(name))});
  }
  offer_ = std::move(*offer);
  listing_ = std::move(listing);
  co_return listing_;
}

}  // namespace parley::mcp
