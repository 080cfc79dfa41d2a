// A tool that a model may use: a name, a description, a JSON Schema of its arguments, and a call. Built-in tools derive
// from Tool; whoever runs them does so through a ToolBox, which parses and validates arguments, asks for approval,
// keeps the time and cuts the result. Loop thread only.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/tools.hpp"
#include "libmsg/runtime/context.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::tools {

/// What a call may use. Lives as long as the call.
struct ToolContext {
  /// The turn in which the tool is used: requests to other agents, progress, cancellation.
  Context& turn;
  /// The idempotency key of the call: the same call, repeated after a failure, has the same id.
  const std::string& call_id;
  /// When the tool's own time is over; it is aborted then.
  TimePoint deadline;
};

class Tool {
 public:
  Tool() = default;
  Tool(const Tool&) = delete;
  Tool& operator=(const Tool&) = delete;
  virtual ~Tool() = default;

  /// Name, description and parameters, as the model gets them. Valid as long as the tool.
  [[nodiscard]] virtual const llm::ToolSpec& spec() const = 0;
  /// Does it. The arguments fit spec().parameters. The result's `id` and `name` are filled in by the caller. A failure
  /// becomes a result with is_error that the model reads; only `cancelled` ends the turn.
  /// Asio cancellation of the awaiting coroutine (its time is over, the turn was cancelled) must end it at once.
  [[nodiscard]] virtual Task<Result<messages::ToolResult>> call(nlohmann::json arguments, ToolContext& context) = 0;
};

/// One tool of a toolset.
struct ToolsetMember {
  std::string name;  ///< as the toolset itself calls it; spec().name is what models see
  std::shared_ptr<Tool> tool;
};
using ToolsetListing = std::vector<ToolsetMember>;

/// Tools that are learned at run time and may change: those of an MCP server or of another worker's tool host.
class Toolset {
 public:
  Toolset() = default;
  Toolset(const Toolset&) = delete;
  Toolset& operator=(const Toolset&) = delete;
  virtual ~Toolset() = default;

  /// What there is now; asks only if what it knows has aged. The same pointer means that nothing has changed. Asio
  /// cancellation ends it at once.
  [[nodiscard]] virtual Task<Result<std::shared_ptr<const ToolsetListing>>> list(Context& turn) = 0;

  /// The process ends: says goodbye where somebody keeps something for it, until the deadline at most.
  [[nodiscard]] virtual Task<> stop(TimePoint /*deadline*/) { co_return; }
};

}  // namespace parley::tools
