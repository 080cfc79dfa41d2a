#include "agents/tools/tool_run.hpp"

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "agents/llm/json_text.hpp"
#include "agents/tools/tool_text.hpp"
#include "libmsg/messages/spent_usage.hpp"

namespace parley::tools {

using messages::ToolCall;
using messages::ToolResult;
using nlohmann::json;

namespace {

/// What a model may write; more is a mistake, and checking it would take time.
constexpr std::size_t kMaxArgumentBytes = std::size_t{256} * 1024;
/// A tool that works outside of the runtime shows no progress of its own. Its time is bounded, so it is not hung:
/// waiting for it counts as progress, more often than the shortest progress_timeout.
constexpr std::chrono::milliseconds kProgressInterval{500};

/// Of all files of one result: with its text it must stay below a message of the bus (8 MiB).
constexpr std::size_t kMaxFileBytes = std::size_t{4} * 1024 * 1024;
/// A sentence that says what went wrong need not be longer.
constexpr std::size_t kMaxReasonBytes = std::size_t{8} * 1024;

using Outcome = Result<ToolResult>;

/// Completes at the end of the tool's time with `timeout`, or with `cancelled` when the turn is.
Task<Error> until_over(Context& turn, TimePoint deadline) {
  for (;;) {
    const Duration left = deadline - turn.now();
    if (left <= Duration::zero()) co_return Error(ErrorCode::timeout, "the tool's time is over");
    const auto nap = std::min(std::chrono::ceil<std::chrono::milliseconds>(left), kProgressInterval);
    Result<> slept = co_await turn.sleep(nap);
    if (!slept) co_return std::move(slept).error();
    turn.report_progress();
  }
}

/// Keeps an exception for later: the race below waits for both sides when one of them throws.
Task<Outcome> call_or_keep(Tool& tool, json arguments, ToolContext& context, std::exception_ptr& thrown) {
  try {
    co_return co_await tool.call(std::move(arguments), context);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return Outcome();
}

std::string what_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an unknown exception";
  }
}

Task<Outcome> call_in_time(const GuardedTool& tool, json arguments, const ToolCall& call, Context& turn) {
  using asio::experimental::awaitable_operators::operator||;
  ToolContext context{turn, call.id, turn.now() + tool.policy.timeout};
  std::exception_ptr thrown;
  std::variant<Outcome, Error> first =
      co_await (call_or_keep(*tool.tool, std::move(arguments), context, thrown) || until_over(turn, context.deadline));
  if (auto* over = std::get_if<Error>(&first)) co_return fail(std::move(*over));
  if (thrown) co_return fail(ErrorCode::handler_failed, "the tool threw: " + what_of(thrown));
  co_return std::move(std::get<Outcome>(first));
}

/// What is wrong with the arguments; empty when they are right.
std::string problem_of(const ReadyTool& tool, const std::optional<json>& arguments) {
  if (!arguments || !arguments->is_object()) return "the arguments are not a JSON object";
  const std::vector<std::string> problems = tool.schema.problems(*arguments);
  if (problems.empty()) return {};
  std::string text = "the arguments do not fit; correct them and call the tool again:";
  for (const std::string& each : problems) text += "\n- " + each;
  return text;
}

/// The first files that fit stay; the model is told of the others.
void leave_out_large_files(ToolResult& result) {
  std::size_t bytes = 0;
  std::string left_out;
  std::erase_if(result.files, [&](const messages::ToolFile& file) {
    if (file.bytes.size() <= kMaxFileBytes - bytes) {
      bytes += file.bytes.size();
      return false;
    }
    left_out += (left_out.empty() ? "" : ", ") + file.name + " (" + std::to_string(file.bytes.size()) + " bytes)";
    return true;
  });
  if (left_out.empty()) return;
  result.content += "\n[files left out because they are too large: " + left_out + "]";
  result.is_truncated = true;
}

ToolResult finish(ToolResult result, const ToolCall& call, std::size_t max_bytes) {
  result.id = call.id;
  result.name = call.name;
  leave_out_large_files(result);
  result.content = clean_utf8(std::move(result.content));
  if (cut_with_note(result.content, max_bytes)) result.is_truncated = true;
  return result;
}

ToolOutcome outcome_of(const Error& error) {
  return error.code == ErrorCode::timeout ? ToolOutcome::timeout : ToolOutcome::tool_error;
}

std::string reason_of(const Error& error, const ToolPolicy& policy) {
  if (error.code != ErrorCode::timeout) return to_string(error.code) + ": " + error.message;
  return "timeout: the tool did not finish within " + std::to_string(policy.timeout.count()) + " ms";
}

}  // namespace

ToolResult failed_result(const ToolCall& call, std::string reason) {
  ToolResult result;
  result.id = call.id;
  result.name = call.name;
  result.content = clean_utf8(std::move(reason));
  result.is_truncated = cut_with_note(result.content, kMaxReasonBytes);
  result.is_error = true;
  return result;
}

Task<Outcome> run_tool(const ReadyTool& tool, const ToolCall& call, Context& turn, ToolRun& run) {
  const ToolPolicy& policy = tool.guarded.policy;
  run.outcome = ToolOutcome::invalid_arguments;
  if (call.arguments.size() > kMaxArgumentBytes) {
    co_return failed_result(call, "the arguments are larger than " + std::to_string(kMaxArgumentBytes) + " bytes");
  }
  std::optional<json> arguments = llm::parse_json(call.arguments.empty() ? "{}" : call.arguments);
  std::string problem = problem_of(tool, arguments);
  if (!problem.empty()) co_return failed_result(call, std::move(problem));

  if (policy.approval.is_needed(*arguments)) {
    const TimePoint asked = turn.now();
    Result<Approval> approval = co_await ask_for_approval(policy.approval, call, turn);
    run.waited = turn.now() - asked;
    run.outcome = approval ? ToolOutcome::refused : ToolOutcome::cancelled;
    if (!approval) co_return fail(std::move(approval).error());
    if (!approval->is_granted) {
      co_return failed_result(call, "the tool was not used: " + approval->reason);
    }
    run.approved_by = std::move(approval->by);
  }

  const TimePoint started = turn.now();
  Outcome result = co_await call_in_time(tool.guarded, std::move(*arguments), call, turn);
  run.duration = turn.now() - started;
  if (!result && result.error().code == ErrorCode::cancelled) {
    run.outcome = ToolOutcome::cancelled;
    co_return result;
  }
  if (!result) {
    run.outcome = outcome_of(result.error());
    ToolResult failed = failed_result(call, reason_of(result.error(), policy));
    failed.usage = messages::spent_usage(result.error());
    co_return failed;
  }
  run.outcome = result->is_error ? ToolOutcome::tool_error : ToolOutcome::ok;
  co_return finish(std::move(*result), call, policy.max_result_bytes);
}

}  // namespace parley::tools
