#include "agents/kinds/tool_round.hpp"

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>
#include <utility>

namespace parley::kinds {

using messages::ToolCall;
using messages::ToolResult;

namespace {

ToolResult not_called(const ToolCall& call, std::string why) {
  ToolResult result;
  result.id = call.id;
  result.name = call.name;
  result.content = "not called: " + std::move(why);
  result.is_error = true;
  return result;
}

}  // namespace

Task<Result<>> ToolRound::begin(const std::vector<ToolCall>& calls, messages::Usage usage_so_far) {
  calls_ = &calls;
  usage_ = std::move(usage_so_far);
  results_.assign(calls.size(), std::nullopt);
  next_ = told_ = 0;
  for (const ToolCall& call : calls) {
    Result<> told = co_await voice_.tell("tool_call", call.name, call.arguments, usage_);
    if (!told) co_return told;
  }
  co_return Result<>{};
}

std::vector<ToolResult> ToolRound::take_results() {
  std::vector<ToolResult> results;
  results.reserve(results_.size());
  for (std::optional<ToolResult>& result : results_) results.push_back(std::move(*result));
  return results;
}

Task<Result<std::vector<ToolResult>>> ToolRound::run(const std::vector<ToolCall>& calls, std::size_t parallel,
                                                     messages::Usage usage_so_far) {
  const Result<> begun = co_await begin(calls, std::move(usage_so_far));
  if (!begun) co_return fail(begun.error());
  co_await work_together(std::clamp<std::size_t>(parallel, 1, std::max<std::size_t>(calls.size(), 1)));
  if (failure_) co_return fail(*failure_);
  co_return take_results();
}

Task<Result<std::vector<ToolResult>>> ToolRound::refuse(const std::vector<ToolCall>& calls, std::string why,
                                                        messages::Usage usage_so_far) {
  const Result<> begun = co_await begin(calls, std::move(usage_so_far));
  if (!begun) co_return fail(begun.error());
  for (std::size_t i = 0; i < calls.size(); ++i) results_[i] = not_called(calls[i], why);
  const Result<> told = co_await tell_finished();
  if (!told) co_return fail(told.error());
  co_return take_results();
}

Task<> ToolRound::work_together(std::size_t workers) {
  using asio::experimental::awaitable_operators::operator&&;
  if (workers == 1) {
    co_await work();
  } else {
    co_await (work() && work_together(workers - 1));
  }
}

Task<> ToolRound::work() {
  while (next_ < calls_->size() && !failure_) {
    const std::size_t index = next_++;
    Result<ToolResult> result = co_await use(index);
    if (!result) {
      failure_ = std::move(result).error();
      co_return;
    }
    results_[index] = std::move(*result);
    const Result<> told = co_await tell_finished();
    if (!told) failure_ = told.error();
  }
}

Task<Result<ToolResult>> ToolRound::use(std::size_t index) {
  const ToolCall& call = (*calls_)[index];
  if (index < kMaxCalls) co_return co_await tools_.run(call, context_);
  co_return not_called(call, "an answer may have at most " + std::to_string(kMaxCalls) + " tool calls");
}

/// One worker tells for all, so that the order holds even where telling takes time.
Task<Result<>> ToolRound::tell_finished() {
  if (is_telling_) co_return Result<>{};
  is_telling_ = true;
  Result<> told;
  while (told && told_ < results_.size() && results_[told_]) {
    const ToolResult& result = *results_[told_++];
    told = co_await voice_.tell("tool_result", result.name, result.content, usage_);
  }
  is_telling_ = false;
  co_return told;
}

}  // namespace parley::kinds
