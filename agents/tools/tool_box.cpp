#include "agents/tools/tool_box.hpp"

#include <algorithm>
#include <array>
#include <asio/experimental/awaitable_operators.hpp>
#include <map>
#include <spdlog/spdlog.h>
#include <utility>
#include <variant>

#include "agents/tools/tool_run.hpp"
#include "libmsg/core/nearest.hpp"
#include "libmsg/wire/envelope.hpp"
#include "monitoring/log.hpp"

namespace parley::tools {

using messages::ToolCall;
using messages::ToolResult;
using monitoring::log_text;

namespace {

/// What one turn waits for a toolset that does not answer; the agent goes on without its news.
constexpr std::chrono::seconds kMaxListTime{15};
constexpr std::size_t kMaxListedNames = 30;

using Listing = Result<std::shared_ptr<const ToolsetListing>>;

Task<Error> until_too_late(Context& turn) {
  Result<> slept = co_await turn.sleep(kMaxListTime);
  if (!slept) co_return std::move(slept).error();
  co_return Error(ErrorCode::timeout, "its tools were not listed within 15 s");
}

Task<Listing> list_or_keep(Toolset& tools, Context& turn, std::exception_ptr& thrown) {
  try {
    co_return co_await tools.list(turn);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return Listing();
}

Task<Listing> list_in_time(Toolset& tools, Context& turn) {
  using asio::experimental::awaitable_operators::operator||;
  std::exception_ptr thrown;
  std::variant<Listing, Error> first = co_await (list_or_keep(tools, turn, thrown) || until_too_late(turn));
  if (auto* late = std::get_if<Error>(&first)) co_return fail(std::move(*late));
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(std::get<Listing>(first));
}

std::shared_ptr<const ReadyTool> make_ready(GuardedTool tool) {
  const llm::ToolSpec& spec = tool.tool->spec();
  Result<JsonSchema> schema = JsonSchema::parse(spec.parameters);
  if (!schema) {
    spdlog::warn("event=tool_left_out tool={} reason={}", log_text(spec.name),
                 log_text("its schema is unusable: " + schema.error().message));
    return nullptr;
  }
  return std::make_shared<const ReadyTool>(ReadyTool{std::move(tool), std::move(*schema)});
}

}  // namespace

std::string_view to_string(ToolOutcome outcome) {
  constexpr std::array<std::string_view, 7> kNames{"ok",      "tool_error", "invalid_arguments", "unknown_tool",
                                                   "refused", "timeout",    "cancelled"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

class ToolBox::State {
 public:
  State(std::vector<GuardedTool> tools, std::vector<GuardedToolset> toolsets, std::shared_ptr<ToolObserver> observer)
      : observer_(std::move(observer)) {
    for (GuardedTool& each : tools) {
      if (std::shared_ptr<const ReadyTool> ready = make_ready(std::move(each))) tools_.push_back(std::move(ready));
    }
    for (GuardedToolset& each : toolsets) toolsets_.push_back({std::move(each)});
    rebuild();
  }

  [[nodiscard]] bool is_empty() const { return tools_.empty() && toolsets_.empty(); }
  [[nodiscard]] const std::vector<llm::ToolSpec>& specs() const { return specs_; }

  [[nodiscard]] std::shared_ptr<const ReadyTool> find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  Task<> refresh(Context& turn) {
    for (LiveToolset& each : toolsets_) {
      Listing listing = co_await list_in_time(*each.about.tools, turn);
      if (listing) {
        take(each, std::move(*listing));
      } else if (listing.error().code != ErrorCode::cancelled && !std::exchange(each.has_failed, true)) {
        spdlog::warn("event=toolset_unreachable tools={} code={} reason={}", log_text(each.about.name),
                     to_string(listing.error().code), log_text(listing.error().message));
      }
    }
  }

  [[nodiscard]] std::string explain_unknown(const std::string& name) const {
    std::vector<std::string> known;
    known.reserve(specs_.size());
    for (const llm::ToolSpec& spec : specs_) known.push_back(spec.name);
    std::string text = "there is no tool '" + name + "'";
    const std::vector<std::string> nearest = nearest_names(name, known, 1);
    if (!nearest.empty()) text += " (did you mean '" + nearest.front() + "'?)";
    if (known.empty()) return text + "; there are no tools at all";
    text += "; there are";
    for (std::size_t i = 0; i < std::min(known.size(), kMaxListedNames); ++i) {
      text += (i == 0 ? " " : ", ") + known[i];
    }
    return known.size() > kMaxListedNames ? text + ", …" : text;
  }

  void report(const ToolCall& call, Context& turn, const ToolRun& run, const Result<ToolResult>& result) const {
    if (observer_ == nullptr) return;
    const std::string traceparent = turn.traceparent();
    ToolRecord record{.agent = turn.self(),
                      .conversation = turn.attribute(wire::attribute::kConversation),
                      .tool = call.name,
                      .call_id = call.id,
                      .arguments = call.arguments,
                      .outcome = run.outcome,
                      .problem = {},
                      .approved_by = run.approved_by,
                      .duration = run.duration,
                      .waited = run.waited,
                      .result_bytes = result ? result->content.size() : 0,
                      .traceparent = traceparent};
    if (!result) {
      record.problem = result.error().message;
    } else if (result->is_error) {
      record.problem = result->content;
    }
    observer_->on_call(record);
  }

 private:
  struct LiveToolset {
    GuardedToolset about;
    std::shared_ptr<const ToolsetListing> listing = nullptr;
    std::vector<std::shared_ptr<const ReadyTool>> tools = {};
    bool has_failed = false;
  };

  void take(LiveToolset& set, std::shared_ptr<const ToolsetListing> listing) {
    if (std::exchange(set.has_failed, false))
      spdlog::info("event=toolset_reachable tools={}", log_text(set.about.name));
    if (listing == set.listing) return;
    set.listing = std::move(listing);
    set.tools.clear();
    std::vector<std::string> missing = set.about.only.value_or(std::vector<std::string>());
    for (const ToolsetMember& member : *set.listing) {
      if (set.about.only && std::ranges::find(*set.about.only, member.name) == set.about.only->end()) continue;
      std::erase(missing, member.name);
      if (auto ready = make_ready({member.tool, set.about.policy})) set.tools.push_back(std::move(ready));
    }
    for (const std::string& name : missing) {
      spdlog::warn("event=tool_missing tools={} tool={} reason=\"the toolset has no tool of this name\"",
                   log_text(set.about.name), log_text(name));
    }
    rebuild();
  }

  void rebuild() {
    by_name_.clear();
    specs_.clear();
    for (const auto& each : tools_) add(each);
    for (const LiveToolset& set : toolsets_) {
      for (const auto& each : set.tools) add(each);
    }
  }

  void add(const std::shared_ptr<const ReadyTool>& tool) {
    const llm::ToolSpec& spec = tool->guarded.tool->spec();
    if (!by_name_.emplace(spec.name, tool).second) {
      spdlog::warn("event=tool_left_out tool={} reason=\"another tool has this name\"", log_text(spec.name));
      return;
    }
    specs_.push_back(spec);
  }

  std::vector<std::shared_ptr<const ReadyTool>> tools_;
  std::vector<LiveToolset> toolsets_;
  std::shared_ptr<ToolObserver> observer_;
  /// Shared with the calls under way, which outlive a change of their toolset.
  std::map<std::string, std::shared_ptr<const ReadyTool>> by_name_;
  std::vector<llm::ToolSpec> specs_;
};

ToolBox::ToolBox() : ToolBox(std::vector<GuardedTool>()) {}

ToolBox::ToolBox(std::vector<GuardedTool> tools, std::vector<GuardedToolset> toolsets,
                 std::shared_ptr<ToolObserver> observer)
    : state_(std::make_shared<State>(std::move(tools), std::move(toolsets), std::move(observer))) {}

bool ToolBox::is_empty() const { return state_->is_empty(); }
bool ToolBox::has(const std::string& name) const { return state_->find(name) != nullptr; }
const std::vector<llm::ToolSpec>& ToolBox::specs() const { return state_->specs(); }

Task<> ToolBox::refresh(Context& turn) const {
  const std::shared_ptr<State> state = state_;
  co_await state->refresh(turn);
}

Task<Result<ToolResult>> ToolBox::run(const ToolCall& call, Context& turn) const {
  const std::shared_ptr<State> state = state_;
  std::shared_ptr<const ReadyTool> tool = state->find(call.name);
  if (tool == nullptr) {
    co_await state->refresh(turn);
    tool = state->find(call.name);
  }
  ToolRun run;
  Result<ToolResult> result;
  if (tool != nullptr) {
    result = co_await run_tool(*tool, call, turn, run);
  } else {
    run.outcome = ToolOutcome::unknown_tool;
    result = failed_result(call, state->explain_unknown(call.name));
  }
  state->report(call, turn, run, result);
  co_return result;
}

}  // namespace parley::tools
