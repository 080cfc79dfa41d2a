#include "agents/budget/budgeted_model.hpp"

#include <algorithm>
#include <array>
#include <asio/this_coro.hpp>
#include <utility>

#include "agents/budget/price_message.hpp"
#include "agents/llm/pause.hpp"
#include "agents/llm/token_estimate.hpp"
#include "libmsg/core/backoff.hpp"
#include "libmsg/messages/budget_refusal.hpp"

namespace parley::budget {
namespace {

using llm::ChatMessage;
using llm::ChatRequest;
using llm::ModelError;
using messages::BudgetVerdict;

constexpr BackoffPolicy kAskAgain{std::chrono::milliseconds(50), std::chrono::milliseconds(1000)};
/// Of the frame around each message and tool, at most.
constexpr std::uint64_t kMaxFrameTokens = 16;

/// No token is shorter than a byte.
std::uint64_t bytes_of(const ChatRequest& request) {
  std::uint64_t bytes = 0;
  for (const ChatMessage& message : request.messages) {
    bytes += message.content.size() + message.provider_state.size() + message.tool_call_id.size() + kMaxFrameTokens;
    for (const messages::ToolCall& call : message.tool_calls) {
      bytes += call.id.size() + call.name.size() + call.arguments.size() + kMaxFrameTokens;
    }
  }
  for (const llm::ToolSpec& tool : request.tools) {
    bytes += tool.name.size() + tool.description.size() + tool.parameters.size() + kMaxFrameTokens;
  }
  if (request.response_schema) {
    bytes += request.response_schema->name.size() + request.response_schema->schema.size() + kMaxFrameTokens;
  }
  return bytes;
}

std::uint64_t likely_input(const ChatRequest& request) {
  std::uint64_t tokens = llm::estimate_tokens(request.messages);
  for (const llm::ToolSpec& tool : request.tools) {
    tokens += llm::estimate_tokens(tool.name) + llm::estimate_tokens(tool.description) +
              llm::estimate_tokens(tool.parameters);
  }
  if (request.response_schema) tokens += llm::estimate_tokens(request.response_schema->schema);
  return tokens;
}

/// The provider was not reached, or refused before it did any work.
bool is_free(ErrorCode code) {
  constexpr std::array kFree{ErrorCode::unauthorized, ErrorCode::overloaded,        ErrorCode::budget_exceeded,
                             ErrorCode::invalid,      ErrorCode::too_large,         ErrorCode::unreachable,
                             ErrorCode::refused,      ErrorCode::bad_configuration, ErrorCode::shutting_down};
  return std::ranges::find(kFree, code) != kFree.end();
}

Error error_of(const BudgetVerdict& verdict) {
  Error error(error_code_from_string(verdict.code).value_or(ErrorCode::budget_exceeded), verdict.reason);
  if (verdict.budget.empty()) return error;
  messages::BudgetRefusal refusal{verdict.budget, verdict.scope, verdict.subject, verdict.per};
  if (verdict.has_usd) {
    refusal.limit_nano_usd = verdict.limit_nano_usd;
    refusal.spent_nano_usd = verdict.spent_nano_usd;
  }
  if (verdict.has_tokens) {
    refusal.limit_tokens = verdict.limit_tokens;
    refusal.spent_tokens = verdict.spent_tokens;
  }
  if (verdict.reset_ms > 0) {
    refusal.resets_at = WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(verdict.reset_ms)));
  }
  error.details = to_details(refusal);
  return error;
}

Error no_room_for_answer(std::uint64_t granted, std::uint64_t added) {
  return {ErrorCode::budget_exceeded, "the ledger grants " + std::to_string(granted) +
                                          " tokens of output, and the model thinks with " + std::to_string(added) +
                                          " before it answers; raise `max_output_tokens` of the budgets"};
}

}  // namespace

/// A call that is allowed. Its end is told to the ledger when it goes out of scope, however that happens.
struct BudgetedModel::Call {
  Ledger& ledger;
  messages::BudgetReserve order;
  std::optional<llm::ModelPrice> price;
  std::uint64_t max_output_tokens = 0;
  bool has_begun = false;
  bool is_over = false;
  std::uint64_t streamed_bytes = 0;

  Call(Ledger& told, messages::BudgetReserve wanted) : ledger(told), order(std::move(wanted)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    if (is_over) return;
    if (has_begun) {
      settle(estimate());
    } else {
      ledger.release(order.id);
    }
  }

  /// What a call that broke off has cost: its input, and as much output as was seen.
  [[nodiscard]] messages::Usage estimate() const {
    constexpr std::uint64_t kBytesPerToken = 4;
    messages::Usage usage;
    usage.model = order.model;
    usage.input_tokens = order.input_tokens;
    usage.output_tokens = (streamed_bytes + kBytesPerToken - 1) / kBytesPerToken;
    usage.is_estimated = true;
    return usage;
  }
  void settle(messages::Usage usage) {
    is_over = true;
    ledger.settle({order.id, order.agent, order.conversation, order.model, std::move(usage), order.price});
  }
  void release() {
    is_over = true;
    ledger.release(order.id);
  }
};

BudgetedModel::BudgetedModel(std::shared_ptr<llm::ChatModel> inner, std::shared_ptr<Ledger> ledger,
                             BudgetedOptions options, const Clock& clock, Random& random,
                             std::shared_ptr<BudgetObserver> observer)
    : inner_(std::move(inner)),
      ledger_(std::move(ledger)),
      options_(std::move(options)),
      clock_(clock),
      random_(random),
      observer_(std::move(observer)) {}

void BudgetedModel::observe(BudgetObserver::Outcome outcome, TimePoint asked) const {
  if (observer_ != nullptr) observer_->on_asked(outcome, clock_.now() - asked);
}

messages::BudgetReserve BudgetedModel::order_for(const ChatRequest& request) {
  messages::BudgetReserve order;
  order.id = ledger_->next_id();
  order.agent = request.caller.agent.empty() ? options_.agent_type : request.caller.agent;
  order.conversation = request.caller.conversation;
  order.model = request.model.empty() ? options_.model : request.model;
  order.input_tokens = likely_input(request);
  order.max_input_tokens = bytes_of(request);
  // A model that adds to every answer is held to what it will ask its provider for.
  const std::uint64_t own = request.max_tokens.value_or(options_.output.max);
  order.max_output_tokens = own == 0 ? 0 : own + options_.output.added;
  // The price is that of the configured model.
  if (options_.price && order.model == options_.model) order.price = to_message(*options_.price);
  return order;
}

Task<Result<BudgetVerdict>> BudgetedModel::ask(const messages::BudgetReserve& order,
                                               std::optional<TimePoint> deadline) {
  const TimePoint patience = clock_.now() + options_.wait_for_held;
  const TimePoint latest = std::min(patience, deadline.value_or(patience));
  Backoff backoff(kAskAgain);
  for (;;) {
    Result<BudgetVerdict> verdict = co_await ledger_->reserve(order, deadline);
    if (!verdict || verdict->is_granted || !verdict->is_held) co_return verdict;
    const Duration wait = backoff.next(random_);
    if (clock_.now() + wait >= latest) co_return verdict;
    if (Result<> waited = co_await llm::pause(wait); !waited) co_return fail(std::move(waited).error());
  }
}

Task<BudgetedModel::Outcome> BudgetedModel::complete(ChatRequest request, llm::ChunkSink on_chunk) {
  using Asked = BudgetObserver::Outcome;
  const TimePoint asked = clock_.now();
  const messages::BudgetReserve order = order_for(request);
  const Result<BudgetVerdict> verdict = co_await ask(order, request.deadline);
  if (!verdict) {
    const bool is_lost = verdict.error().code == ErrorCode::unreachable;
    const bool is_allowed = is_lost && options_.on_ledger_loss == OnLedgerLoss::allow_and_count;
    observe(is_allowed ? Asked::unreserved : is_lost ? Asked::unreachable : Asked::cancelled, asked);
    if (!is_allowed) co_return std::unexpected(ModelError{.error = verdict.error()});
  } else if (!verdict->is_granted) {
    observe(Asked::refused, asked);
    co_return std::unexpected(ModelError{.error = error_of(*verdict)});
  } else {
    observe(Asked::granted, asked);
  }
  Call call(*ledger_, order);
  if (verdict) {
    call.price = price_from(verdict->price);
    call.max_output_tokens = verdict->max_output_tokens;
  } else {
    // The reservation that nobody answered may have been made; it was taken back under its own name.
    call.order.id = ledger_->next_id();
    call.price = options_.price;
  }
  // The verdict and the end of interest in it may come at the same moment.
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    co_return std::unexpected(ModelError{.error = {ErrorCode::cancelled, "the call was cancelled before it began"}});
  }
  co_return co_await run(call, std::move(request), std::move(on_chunk));
}

Task<BudgetedModel::Outcome> BudgetedModel::run(Call& call, ChatRequest request, llm::ChunkSink on_chunk) {
  if (call.max_output_tokens > 0) {
    const std::uint64_t added = options_.output.added;
    if (call.max_output_tokens <= added) {
      call.release();
      co_return std::unexpected(ModelError{.error = no_room_for_answer(call.max_output_tokens, added)});
    }
    const std::uint64_t cap = std::min<std::uint64_t>(call.max_output_tokens - added, UINT32_MAX);
    request.max_tokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(cap, request.max_tokens.value_or(cap)));
  }
  llm::ChunkSink counting;
  if (on_chunk) {
    counting = [&call, on_chunk = std::move(on_chunk)](std::string_view piece) {
      call.streamed_bytes += piece.size();
      return on_chunk(piece);
    };
  }
  call.has_begun = true;
  Outcome outcome = co_await inner_->complete(std::move(request), std::move(counting));
  if (outcome) {
    messages::Usage& usage = outcome->usage;
    if (usage.cost_nano_usd == 0 && call.price) usage.cost_nano_usd = llm::cost_nano_usd(usage, *call.price);
    call.settle(usage);
  } else if (const ModelError& failure = outcome.error(); failure.usage) {
    call.settle(*failure.usage);
  } else if (is_free(failure.error.code)) {
    call.release();
  } else {
    call.settle(call.estimate());
  }
  co_return outcome;
}

}  // namespace parley::budget
