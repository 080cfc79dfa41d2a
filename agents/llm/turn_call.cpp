#include "agents/llm/turn_call.hpp"

#include <algorithm>
#include <asio/experimental/awaitable_operators.hpp>
#include <chrono>
#include <exception>
#include <utility>
#include <variant>

#include "libmsg/messages/budget_refusal.hpp"

namespace parley::llm {

namespace {

using Outcome = std::expected<Completion, ModelError>;

/// Keeps an exception for later: the race below waits for both sides when one of them throws.
Task<Outcome> complete_or_keep(ChatModel& model, ChatRequest request, ChunkSink on_chunk, std::exception_ptr& thrown) {
  try {
    co_return co_await model.complete(std::move(request), std::move(on_chunk));
  } catch (...) {
    thrown = std::current_exception();
  }
  co_return std::unexpected(ModelError{});
}

/// Every piece of the answer is progress, also for an agent that keeps it to itself.
ChunkSink reporting(ChunkSink on_chunk, Context& context) {
  if (!on_chunk) return {};
  return [&context, on_chunk = std::move(on_chunk)](std::string_view piece) {
    context.report_progress();
    return on_chunk(piece);
  };
}

/// A call that nobody waited for to its end, that was too much for any model, or that a budget did not allow, says
/// nothing about this one. An empty account at the provider does: nobody but a person can fill it.
bool is_models_failure(const Error& error) {
  return error.code != ErrorCode::cancelled && error.code != ErrorCode::too_large && !messages::budget_refusal(error);
}

void report(const Outcome& outcome, Context& context) {
  if (outcome) {
    context.report_model_success();
  } else if (is_models_failure(outcome.error().error)) {
    context.report_model_failure();
  }
}

/// What the caller has not said himself: the agent pays, in the conversation that the message belongs to; without one
/// its key stands for the conversation.
void fill_caller(Caller& caller, const Context& context) {
  if (caller.traceparent.empty()) caller.traceparent = context.traceparent();
  if (context.self().is_empty()) return;
  if (caller.agent.empty()) caller.agent = context.self().str();
  if (!caller.conversation.empty()) return;
  const std::string_view conversation = context.attribute("conversation");
  caller.conversation = conversation.empty() ? context.self().key() : std::string(conversation);
}

/// Completes when the turn's message is cancelled.
Task<Error> until_cancelled(Context& context) {
  for (;;) {
    Result<> slept = co_await context.sleep(std::chrono::hours(1));
    if (!slept) co_return std::move(slept).error();
  }
}

}  // namespace

Task<Outcome> complete_in_turn(ChatModel& model, ChatRequest request, Context& context, ChunkSink on_chunk) {
  using asio::experimental::awaitable_operators::operator||;
  if (const auto deadline = context.deadline()) {
    request.deadline = std::min(*deadline, request.deadline.value_or(*deadline));
  }
  request.on_progress = [&context] { context.report_progress(); };
  fill_caller(request.caller, context);
  std::exception_ptr thrown;
  std::variant<Outcome, Error> first =
      co_await (complete_or_keep(model, std::move(request), reporting(std::move(on_chunk), context), thrown) ||
                until_cancelled(context));
  if (auto* cancelled = std::get_if<Error>(&first))
    co_return std::unexpected(ModelError{.error = std::move(*cancelled)});
  if (thrown) std::rethrow_exception(thrown);
  report(std::get<Outcome>(first), context);
  co_return std::move(std::get<Outcome>(first));
}

}  // namespace parley::llm
