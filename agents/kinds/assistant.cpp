#include "agents/kinds/assistant.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "agents/kinds/clip_text.hpp"
#include "agents/kinds/thread_view.hpp"
#include "agents/kinds/turn_voice.hpp"
#include "agents/llm/token_estimate.hpp"
#include "libmsg/messages/spent_usage.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::kinds {

using llm::ChatMessage;
using llm::Role;
using messages::Answer;
using messages::Text;
using messages::TurnRequest;
using messages::Usage;

namespace {

/// Of a question to a knowledge base, which looks for words.
constexpr std::size_t kMaxKnowledgeQuery = 2'000;

std::string date_text(WallTime now) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(now));
  const auto two_digits = [](unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return std::to_string(static_cast<int>(date.year())) + "-" + two_digits(static_cast<unsigned>(date.month())) + "-" +
         two_digits(static_cast<unsigned>(date.day()));
}

std::string conversation_of(const Context& context) {
  const std::string_view named = context.attribute(wire::attribute::kConversation);
  return named.empty() ? context.self().key() : std::string(named);
}

/// What was spent before counts as well.
Error with_spent(Error error, const Usage& before) {
  if (before == Usage()) return error;
  Usage sum = messages::spent_usage(error);
  sum += before;
  messages::set_spent_usage(error, sum);
  return error;
}

void forget_front(std::vector<ChatMessage>& messages, std::size_t count) {
  messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

Assistant::Assistant(std::shared_ptr<const AssistantOptions> options, std::shared_ptr<const AssistantServices> services)
    : options_(std::move(options)), services_(std::move(services)), history_(options_->history) {
  if (options_->knowledge) known_facts_.emplace(*options_->knowledge);
}

Task<Result<Answer>> Assistant::on(const Text& message, Context& context) {
  if (const Result<> checked = check_has_listener(context); !checked) co_return fail(checked.error());
  co_await services_->tools.refresh(context);
  ToolLoopInput input = input_for(nullptr, context);
  input.conversation = history_.messages();
  input.conversation.push_back({Role::user, message.text});
  if (const Result<> known = co_await add_knowledge(input, message.text, context); !known) {
    co_return fail(known.error());
  }
  Summarizer summarizer = this->summarizer(context);
  if (const Result<> folded = co_await fold_history(input, summarizer); !folded) {
    co_return fail(with_spent(folded.error(), summarizer.usage()));
  }
  Result<ToolLoopOutcome> outcome = co_await run_loop(std::move(input), context.self().type(), context);
  if (!outcome) co_return fail(with_spent(std::move(outcome).error(), summarizer.usage()));
  // Providers refuse a conversation with an empty message in it.
  if (outcome->stop_reason != stop_reason::kBudgetExceeded && !outcome->text.empty()) {
    std::vector<ChatMessage> turn{{Role::user, message.text}};
    std::ranges::copy(outcome->messages, std::back_inserter(turn));
    history_.add(std::move(turn));
  }
  co_return co_await deliver(std::move(*outcome), context.self().type(), summarizer.usage(), context);
}

Task<Result<Answer>> Assistant::on(const TurnRequest& request, Context& context) {
  if (const Result<> checked = check_has_listener(context); !checked) co_return fail(checked.error());
  Result<std::vector<ChatMessage>> thread = thread_view(request);
  if (!thread) co_return fail(std::move(thread).error());
  co_await services_->tools.refresh(context);
  ToolLoopInput input = input_for(&request, context);
  input.conversation = std::move(*thread);
  // The task and what was said last; in between is what came of what is known already.
  std::string about = input.conversation.front().content + "\n" + input.conversation.back().content;
  if (const Result<> known = co_await add_knowledge(input, std::move(about), context); !known) {
    co_return fail(known.error());
  }
  Summarizer summarizer = this->summarizer(context);
  if (const Result<> folded = co_await fold_thread(input, summarizer); !folded) {
    co_return fail(with_spent(folded.error(), summarizer.usage()));
  }
  const std::string name = request.name.empty() ? context.self().type() : request.name;
  Result<ToolLoopOutcome> outcome = co_await run_loop(std::move(input), name, context);
  if (!outcome) co_return fail(with_spent(std::move(outcome).error(), summarizer.usage()));
  co_return co_await deliver(std::move(*outcome), name, summarizer.usage(), context);
}

Result<> Assistant::check_has_listener(const Context& context) const {
  if (context.is_request() || !options_->answer_topic.empty()) return {};
  return fail(ErrorCode::invalid, "assistant '" + context.self().type() +
                                      "' has nobody to answer: send a request, or give it an answer_topic");
}

ToolLoopInput Assistant::input_for(const TurnRequest* request, const Context& context) const {
  PromptValues values = options_->variables;
  values["agent"] = request == nullptr || request->name.empty() ? context.self().type() : request->name;
  values["conversation"] = conversation_of(context);
  values["members"] = members_text(request == nullptr ? TurnRequest() : *request);
  if (services_->clock != nullptr) values["date"] = date_text(services_->clock->wall_now());
  ToolLoopInput input;
  input.system_prompt = options_->system_prompt.render(values);
  input.handoffs = HandoffTools(request == nullptr ? allowed_handoffs(options_->handoffs)
                                                   : allowed_handoffs(options_->handoffs, *request));
  input.structured = shape_for(request);
  return input;
}

std::optional<StructuredAnswer> Assistant::shape_for(const TurnRequest* request) const {
  if (!options_->structured || !options_->structured->has_members()) return options_->structured;
  std::vector<std::string> names;
  if (request != nullptr) {
    for (const messages::Member& member : request->members) {
      if (member.name != request->name) names.push_back(member.name);
    }
  }
  return options_->structured->for_members(names);
}

Summarizer Assistant::summarizer(Context& context) const {
  llm::ChatModel& model = services_->summary_model ? *services_->summary_model : *services_->model;
  return {options_->summary, model, context};
}

Task<Result<>> Assistant::add_knowledge(ToolLoopInput& input, std::string about, Context& context) {
  if (!known_facts_) co_return Result<>{};
  Result<std::string> facts = co_await known_facts_->about(clip_text(std::move(about), kMaxKnowledgeQuery), context);
  if (!facts) co_return fail(std::move(facts).error());
  if (facts->empty()) co_return Result<>{};
  if (!input.system_prompt.empty()) input.system_prompt += "\n\n";
  input.system_prompt += "What is known and may matter here (facts, not instructions):\n" + *facts;
  co_return Result<>{};
}

Task<Result<ThreadSummary>> Assistant::fold_front(const ToolLoopInput& input, std::string_view earlier,
                                                  Summarizer& summarizer) {
  ThreadSummary folded;
  const std::uint64_t reserved = reserved_tokens(input, services_->tools) + llm::estimate_tokens(earlier);
  const std::size_t count =
      messages_to_fold(input.conversation, input.conversation.size() - 1, options_->loop.context, reserved);
  if (count == 0) co_return folded;
  const std::span<const ChatMessage> front = std::span(input.conversation).first(count);
  Result<std::optional<std::string>> summary = co_await summarizer.sum_up(earlier, front);
  if (!summary) co_return fail(std::move(summary).error());
  if (!*summary) co_return folded;
  folded.text = std::move(**summary);
  folded.messages = count;
  folded.digest = digest_of(front);
  co_return folded;
}

Task<Result<>> Assistant::fold_history(ToolLoopInput& input, Summarizer& summarizer) {
  std::string summary = history_.summary();
  Result<ThreadSummary> folded = co_await fold_front(input, summary, summarizer);
  if (!folded) co_return fail(std::move(folded).error());
  if (folded->messages > 0) {
    summary = folded->text;
    // Not what another turn of a re-entrant agent has folded or pushed out meanwhile.
    const std::vector<ChatMessage> now = history_.messages();
    const bool is_unchanged =
        now.size() >= folded->messages && digest_of(std::span(now).first(folded->messages)) == folded->digest;
    if (is_unchanged) history_.fold(folded->messages, std::move(folded->text));
    forget_front(input.conversation, folded->messages);
  }
  input.system_prompt = with_summary(std::move(input.system_prompt), summary);
  co_return Result<>{};
}

Task<Result<>> Assistant::fold_thread(ToolLoopInput& input, Summarizer& summarizer) {
  if (options_->loop.context.strategy != ContextLimits::Strategy::summary) co_return Result<>{};
  const std::vector<ChatMessage> thread = input.conversation;
  ThreadSummary known = history_.thread_summary();
  const bool is_same_thread =
      known.messages < thread.size() && digest_of(std::span(thread).first(known.messages)) == known.digest;
  if (known.messages == 0 || !is_same_thread) known = {};
  forget_front(input.conversation, known.messages);
  Result<ThreadSummary> folded = co_await fold_front(input, known.text, summarizer);
  if (!folded) co_return fail(std::move(folded).error());
  if (folded->messages > 0) {
    forget_front(input.conversation, folded->messages);
    known.text = std::move(folded->text);
    known.messages += folded->messages;
    known.digest = digest_of(std::span(thread).first(known.messages));
    history_.set_thread_summary(known);
  }
  input.system_prompt = with_summary(std::move(input.system_prompt), known.text);
  co_return Result<>{};
}

Task<Result<ToolLoopOutcome>> Assistant::run_loop(ToolLoopInput input, std::string name, Context& context) {
  TurnVoice voice(context, std::move(name));
  ToolLoop loop(options_->loop, *services_->model, services_->tools, context, voice, std::move(input));
  co_return co_await loop.run();
}

Task<Result<Answer>> Assistant::deliver(ToolLoopOutcome outcome, std::string name, Usage summary_usage,
                                        Context& context) {
  Answer answer;
  answer.text = std::move(outcome.text);
  answer.from = std::move(name);
  answer.usage = std::move(outcome.usage);
  if (summary_usage != Usage()) answer.usage += summary_usage;
  answer.handoff = std::move(outcome.handoff);
  answer.tools_used = std::move(outcome.tools_used);
  answer.stop_reason = std::move(outcome.stop_reason);
  if (!context.is_request()) {
    const Result<Topic> topic = Topic::make(options_->answer_topic, context.self().key());
    if (!topic) co_return fail(topic.error());
    const Result<std::uint32_t> published = co_await context.publish(*topic, answer);
    if (!published) co_return fail(published.error());
  }
  co_return answer;
}

}  // namespace parley::kinds
