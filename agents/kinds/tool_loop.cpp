#include "agents/kinds/tool_loop.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "agents/kinds/tool_round.hpp"
#include "agents/llm/token_estimate.hpp"
#include "agents/llm/turn_call.hpp"
#include "libmsg/messages/spent_usage.hpp"

namespace parley::kinds {

using llm::ChatMessage;
using llm::Completion;
using llm::FinishReason;
using llm::Role;
using llm::ToolChoice;
using messages::ToolCall;
using messages::ToolResult;

namespace {

const char* stop_reason_of(FinishReason finish) {
  switch (finish) {
    case FinishReason::length:
      return stop_reason::kMaxTokens;
    case FinishReason::content_filter:
      return stop_reason::kContentFilter;
    default:
      return "";
  }
}

ChatMessage message_of(const ToolResult& result) {
  return {.role = Role::tool,
          .content = result.content,
          .tool_calls = {},
          .tool_call_id = result.id,
          .is_tool_error = result.is_error};
}

}  // namespace

std::vector<llm::ToolSpec> tool_specs(const ToolLoopInput& input, const tools::ToolBox& tools) {
  std::vector<llm::ToolSpec> specs = input.handoffs.specs();
  for (const llm::ToolSpec& spec : tools.specs()) {
    // A tool of a handoff's name could never be meant.
    if (input.handoffs.target_of(spec.name) == nullptr) specs.push_back(spec);
  }
  return specs;
}

std::uint64_t reserved_tokens(const ToolLoopInput& input, const tools::ToolBox& tools) {
  std::uint64_t tokens = llm::estimate_tokens(input.system_prompt);
  if (input.structured) tokens += llm::estimate_tokens(input.structured->schema().schema);
  for (const llm::ToolSpec& spec : tool_specs(input, tools)) {
    tokens += llm::estimate_tokens(spec.name) + llm::estimate_tokens(spec.description) +
              llm::estimate_tokens(spec.parameters);
  }
  return tokens;
}

ToolLoop::ToolLoop(const ToolLoopOptions& options, llm::ChatModel& model, const tools::ToolBox& tools, Context& context,
                   TurnVoice& voice, ToolLoopInput input)
    : options_(options),
      model_(model),
      tools_(tools),
      context_(context),
      voice_(voice),
      input_(std::move(input)),
      specs_(tool_specs(input_, tools)),
      reserved_tokens_(reserved_tokens(input_, tools)),
      question_(input_.conversation.empty() ? 0 : input_.conversation.size() - 1) {}

Task<Result<ToolLoopOutcome>> ToolLoop::run() {
  if (const Result<> checked = check_tool_choice(); !checked) co_return fail(checked.error());
  for (;;) {
    ModelOutcome completion = co_await ask_model();
    Result<bool> is_over = false;
    if (!completion) {
      is_over = co_await take_failure(std::move(completion).error());
    } else if (completion->tool_calls.empty() || specs_.empty() || is_cut_off_) {
      is_over = co_await take_answer(std::move(*completion));
    } else {
      is_over = co_await take_calls(std::move(*completion));
    }
    if (!is_over) {
      Error error = std::move(is_over).error();
      messages::set_spent_usage(error, outcome_.usage);
      co_return fail(std::move(error));
    }
    if (*is_over) co_return std::move(outcome_);
  }
}

Result<> ToolLoop::check_tool_choice() const {
  const ToolChoice& choice = options_.tool_choice;
  if (choice.mode != ToolChoice::Mode::named) return {};
  std::string there;
  for (const llm::ToolSpec& spec : specs_) {
    if (spec.name == choice.name) return {};
    there += (there.empty() ? "" : ", ") + spec.name;
  }
  return fail(ErrorCode::invalid, "tool_choice names '" + choice.name + "', and the tools are: " + there);
}

llm::ChatRequest ToolLoop::next_request() const {
  llm::ChatRequest request;
  ContextView view = fit(input_.conversation, question_, options_.context, reserved_tokens_);
  request.messages.reserve(view.messages.size() + 1);
  if (!input_.system_prompt.empty()) request.messages.push_back({Role::system, input_.system_prompt});
  std::ranges::move(view.messages, std::back_inserter(request.messages));
  request.temperature = options_.temperature;
  request.max_tokens = options_.max_tokens;
  request.deadline = context_.deadline();
  if (input_.structured) request.response_schema = input_.structured->schema();
  if (specs_.empty()) return request;
  // The specifications stay when no tool may be used any more: providers want them for the calls in the history.
  request.tools = specs_;
  request.is_parallel_tool_calls_allowed = options_.is_parallel_allowed;
  if (is_cut_off_) {
    request.tool_choice.mode = ToolChoice::Mode::none;
  } else if (rounds_ == 0) {
    request.tool_choice = options_.tool_choice;
  }
  return request;
}

Task<ToolLoop::ModelOutcome> ToolLoop::ask_model() {
  // A structured answer is not shown before it is known to fit; its pieces are progress all the same.
  const bool is_shown = !input_.structured;
  llm::ChunkSink sink = [voice = &voice_, is_shown](std::string_view piece) {
    return voice->say(is_shown ? piece : std::string_view());
  };
  llm::ChatRequest request = next_request();
  ModelOutcome completion = co_await llm::complete_in_turn(model_, std::move(request), context_, std::move(sink));
  if (completion) {
    outcome_.usage += completion->usage;
  } else if (completion.error().usage) {
    outcome_.usage += *completion.error().usage;
  }
  co_return completion;
}

Task<Result<bool>> ToolLoop::take_answer(Completion completion) {
  outcome_.stop_reason = stop_reason_of(completion.finish_reason);
  if (is_cut_off_) outcome_.stop_reason = stop_reason::kMaxToolRounds;
  if (input_.structured) co_return co_await take_structured(std::move(completion.text));
  if (completion.text.empty() && is_cut_off_) {
    co_return co_await say_answer("I have used tools as often as I may in one turn, and have no answer yet.");
  }
  outcome_.text = completion.text;
  outcome_.messages.push_back({Role::assistant, std::move(completion.text)});
  co_return true;
}

Task<Result<bool>> ToolLoop::take_structured(std::string text) {
  Result<std::string> fitting = input_.structured->read(text);
  if (fitting) co_return co_await say_answer(std::move(*fitting));
  if (repairs_ == options_.max_repairs) {
    co_return fail(ErrorCode::upstream_failed,
                   "the model's answer does not have the shape that was asked for: " + fitting.error().message);
  }
  ++repairs_;
  // An empty message is refused by some providers.
  input_.conversation.push_back({Role::assistant, text.empty() ? "(nothing)" : std::move(text)});
  input_.conversation.push_back({Role::user, repair_request(fitting.error().message)});
  co_return false;
}

Task<Result<bool>> ToolLoop::take_calls(Completion completion) {
  give_ids(completion.tool_calls);
  std::vector<ToolCall> calls;
  const ToolCall* transfer = nullptr;
  for (const ToolCall& call : completion.tool_calls) {
    if (input_.handoffs.target_of(call.name) == nullptr) {
      calls.push_back(call);
    } else if (transfer == nullptr) {
      transfer = &call;
    }
  }
  Result<std::vector<ToolResult>> results = co_await use_tools(calls);
  if (!results) co_return fail(std::move(results).error());
  if (transfer != nullptr) co_return co_await hand_over(completion.text, *transfer, *results);

  note_exchange({.role = Role::assistant,
                 .content = std::move(completion.text),
                 .tool_calls = std::move(completion.tool_calls),
                 .tool_call_id = {},
                 .is_tool_error = false,
                 .provider_state = std::move(completion.provider_state)});
  for (const ToolResult& result : *results) note_exchange(message_of(result));
  if (!options_.is_reflecting) co_return co_await answer_with_results(*results);
  co_return false;
}

Task<Result<std::vector<ToolResult>>> ToolLoop::use_tools(const std::vector<ToolCall>& calls) {
  ToolRound round(tools_, context_, voice_);
  if (rounds_ == options_.max_rounds) {
    is_cut_off_ = true;
    co_return co_await round.refuse(calls, "tools were used as often as a turn allows. Answer with what you have.",
                                    outcome_.usage);
  }
  ++rounds_;
  for (const ToolCall& call : calls) {
    if (tools_.has(call.name)) outcome_.tools_used.push_back(call.name);
  }
  Result<std::vector<ToolResult>> results = co_await round.run(calls, options_.max_parallel, outcome_.usage);
  if (!results) co_return results;
  for (const ToolResult& result : *results) {
    // Another agent has done the work.
    if (result.usage != messages::Usage()) outcome_.usage += result.usage;
  }
  co_return results;
}

Task<Result<bool>> ToolLoop::answer_with_results(const std::vector<ToolResult>& results) {
  std::string text;
  for (const ToolResult& result : results) text += (text.empty() ? "" : "\n\n") + result.content;
  co_return co_await say_answer(std::move(text));
}

/// The other one sees only the thread: results of tools that were used beside the transfer go with the answer.
Task<Result<bool>> ToolLoop::hand_over(const std::string& text, const ToolCall& transfer,
                                       const std::vector<ToolResult>& results) {
  const std::string& target = *input_.handoffs.target_of(transfer.name);
  std::string said = text.empty() ? handoff_reason(transfer.arguments) : text;
  if (said.empty()) said = "I hand over to " + target + ".";
  for (const ToolResult& result : results) said += "\n\n[" + result.name + "] " + result.content;
  outcome_.handoff = target;
  if (said == text && !input_.structured) {
    outcome_.text = text;
    outcome_.messages.push_back({Role::assistant, text});
  } else if (Result<bool> answered = co_await say_answer(std::move(said)); !answered) {
    co_return answered;
  }
  const Result<> told = co_await voice_.tell("handoff", handoff_reason(transfer.arguments), target, outcome_.usage);
  if (!told) co_return fail(told.error());
  co_return true;
}

Task<Result<bool>> ToolLoop::take_failure(llm::ModelError error) {
  const bool has_fallback = !options_.on_budget_exceeded.empty();
  if (error.error.code != ErrorCode::budget_exceeded || !has_fallback) co_return fail(std::move(error.error));
  outcome_.stop_reason = stop_reason::kBudgetExceeded;
  co_return co_await say_answer(options_.on_budget_exceeded);
}

Task<Result<bool>> ToolLoop::say_answer(std::string text) {
  const Result<> said = co_await voice_.say(text);
  if (!said) co_return fail(said.error());
  outcome_.text = text;
  outcome_.messages.push_back({Role::assistant, std::move(text)});
  co_return true;
}

/// Results find their calls by id, and tools take it for the same call when they see an id again: servers that leave
/// ids out or give one twice are helped.
void ToolLoop::give_ids(std::vector<ToolCall>& calls) const {
  std::set<std::string> seen;
  for (const ChatMessage& message : input_.conversation) {
    for (const ToolCall& call : message.tool_calls) seen.insert(call.id);
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!calls[i].id.empty() && seen.insert(calls[i].id).second) continue;
    calls[i].id = "call_" + std::to_string(context_.now().time_since_epoch().count()) + "_" + std::to_string(rounds_) +
                  "_" + std::to_string(i);
  }
}

void ToolLoop::note_exchange(ChatMessage message) {
  outcome_.messages.push_back(message);
  input_.conversation.push_back(std::move(message));
}

}  // namespace parley::kinds
