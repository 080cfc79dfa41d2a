// The manager of a team: whom it asks besides its members: a selector's model or agent, and judges.
#include <utility>

#include "agents/kinds/team_manager.hpp"
#include "agents/llm/turn_call.hpp"
#include "libmsg/messages/spent_usage.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::kinds {

using messages::Answer;
using messages::TeamEvent;
using messages::Text;
using messages::ThreadMessage;
using messages::Usage;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kAdviceTimeout{120'000};
constexpr std::string_view kVerdictDone = "DONE";

}  // namespace

Task<Result<>> TeamManager::consult(teams::Consult consult, Context& context) {
  Advice advice;
  Task<> asking = take_advice(consult, advice, context);
  const bool is_whole = co_await stop_.run(std::move(asking));
  if (context.is_cancelled()) co_return fail(ErrorCode::cancelled, "whoever gave the task has stopped waiting");
  if (!is_whole) co_return Result<>{};  // the next step is the end
  // Who may spend no more is not to be helped by a fallback.
  if (!advice.text && advice.text.error().code == ErrorCode::budget_exceeded) {
    team_.give_up(advice.text.error(), advice.usage);
  } else {
    team_.advised(advice.text, advice.usage);
  }
  co_return Result<>{};
}

Task<> TeamManager::take_advice(const teams::Consult& consult, Advice& advice, Context& context) {
  if (model_ != nullptr) {
    advice = co_await ask_model(consult, context);
  } else if (setup_->adviser) {
    advice = co_await ask_adviser(consult, context);
  }
}

Task<TeamManager::Advice> TeamManager::ask_model(const teams::Consult& consult, Context& context) {
  llm::ChatRequest request;
  if (!consult.system.empty()) request.messages.push_back({llm::Role::system, consult.system});
  for (std::size_t i = 0; i < consult.exchange.size(); ++i) {
    request.messages.push_back({i % 2 == 0 ? llm::Role::user : llm::Role::assistant, consult.exchange[i]});
  }
  if (!consult.schema.empty()) request.response_schema = llm::ResponseSchema{"decision", consult.schema};
  request.temperature = 0;
  const std::string_view named = context.attribute(wire::attribute::kConversation);
  request.caller = {id_.str(), named.empty() ? conversation() : std::string(named)};
  request.deadline = team_.deadline();
  std::expected<llm::Completion, llm::ModelError> completion =
      co_await llm::complete_in_turn(*model_, std::move(request), context);
  Advice advice;
  if (completion) {
    advice.usage = completion->usage;
    advice.text = std::move(completion->text);
  } else {
    advice.usage = completion.error().usage.value_or(Usage());
    advice.text = fail(completion.error().error);
  }
  co_return advice;
}

Task<TeamManager::Advice> TeamManager::ask_adviser(const teams::Consult& consult, Context& context) {
  std::string text = consult.system;
  for (const std::string& each : consult.exchange) text += (text.empty() ? "" : "\n\n") + each;
  const Result<Answer> answer = co_await ask_text(setup_->adviser->agent, std::move(text), context);
  Advice advice;
  if (answer) {
    advice.usage = answer->usage;
    advice.text = answer->text;
  } else {
    advice.usage = messages::spent_usage(answer.error());
    advice.text = fail(answer.error());
  }
  co_return advice;
}

/// A question to an agent that is no member.
Task<Result<Answer>> TeamManager::ask_text(std::string agent, std::string question, Context& context) {
  const Result<Target> target = target_of(agent);
  if (!target) co_return fail(target.error());
  const Text text{std::move(question), id_.type()};
  const Result<Payload> reply =
      co_await context.request(*target, to_payload(text), call_options(kAdviceTimeout, context));
  if (!reply) co_return fail(reply.error());
  co_return read_member_answer(*reply, agent);
}

Task<Result<>> TeamManager::judge(teams::Team::Judge judge, Context& context) {
  Verdicts verdicts;
  Task<> asking = take_verdicts(judge.agents, verdicts, context);
  const bool is_whole = co_await stop_.run(std::move(asking));
  if (context.is_cancelled()) co_return fail(ErrorCode::cancelled, "whoever gave the task has stopped waiting");
  if (is_whole) team_.judged(std::move(verdicts.done), verdicts.usage, context.now());
  co_return Result<>{};
}

Task<> TeamManager::take_verdicts(const std::vector<std::string>& agents, Verdicts& verdicts, Context& context) {
  const std::vector<ThreadMessage> thread = team_.thread().seen_by({}, team_.plan().history);
  const std::string question = "The task:\n" + std::string(team_.thread().task()) + "\n\nThe conversation:\n" +
                               rendered(thread) + "\n\nIs the conversation finished? Answer " +
                               std::string(kVerdictDone) + " and why, or CONTINUE.";
  for (const std::string& agent : agents) {
    const Result<Answer> answer = co_await ask_text(agent, question, context);
    if (context.is_cancelled()) co_return;
    if (answer) {
      verdicts.usage += answer->usage;
      const bool is_over = answer->is_final || teams::says(answer->text, kVerdictDone);
      if (is_over) verdicts.done[agent] = teams::cut(answer->text, 200);
      continue;
    }
    if (const Usage spent = messages::spent_usage(answer.error()); spent != Usage()) verdicts.usage += spent;
    TeamEvent failed{"participant_failed",
                     id_.type(),
                     agent,
                     to_string(answer.error().code),
                     answer.error().message + " (goes on without its verdict)",
                     team_.usage()};
    (void)co_await tell(std::move(failed), context);
  }
}

}  // namespace parley::kinds
