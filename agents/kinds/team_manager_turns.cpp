// The manager of a team: how it gives its members the floor, and passes on what they say.
#include <algorithm>
#include <utility>

#include "agents/kinds/team_manager.hpp"
#include "libmsg/messages/spent_usage.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::kinds {

using messages::Answer;
using messages::TeamEvent;
using messages::Text;
using messages::TextPart;
using messages::TurnRequest;
using messages::Usage;
using std::chrono::milliseconds;

namespace {

constexpr std::string_view kAbortedTeam = "aborted:";

/// A member that hands over to somebody who is not there has made a mistake that it may not make again.
Error wrong_handoff(const teams::Turn& turn, const std::string& target) {
  std::string known;
  for (const std::string& name : turn.handoffs) known += (known.empty() ? "" : ", ") + name;
  return {ErrorCode::invalid, "handed over to '" + target + "', which is none of " + known, true};
}

Result<Answer> checked_answer(Result<Answer> answer, const teams::Turn& turn) {
  if (!answer) return answer;
  const bool is_wrong = !answer->handoff.empty() && !turn.handoffs.empty() &&
                        std::ranges::find(turn.handoffs, answer->handoff) == turn.handoffs.end();
  const bool is_aborted = answer->stop_reason.starts_with(kAbortedTeam);
  if (!is_wrong && !is_aborted) return answer;
  Error error = is_wrong ? wrong_handoff(turn, answer->handoff)
                         : Error(ErrorCode::handler_failed, "its team gave up (" + answer->stop_reason +
                                                                ") with: " + teams::cut(answer->text, 500));
  messages::set_spent_usage(error, answer->usage);
  return fail(std::move(error));
}

}  // namespace

Task<> TeamManager::take_turn(const teams::Turn& turn, Context& context, teams::TurnResult& result) {
  using What = teams::TurnAttempts::Decision::What;
  const MemberContact& contact = setup_->contacts[turn.member];
  const std::string& name = team_.plan().members[turn.member].seat.name;
  const std::string& type = id_.type();
  teams::TurnAttempts attempts(contact.failure);
  std::string target = contact.target;
  TeamEvent started{"turn_started", type, name, turn.reason, turn.instruction, team_.usage()};
  const Result<> told = co_await tell(std::move(started), context);
  if (!told) co_return;
  for (;;) {
    Result<Answer> answer = co_await ask_member(turn, target, context);
    if (answer) {
      TeamEvent ended{"turn_ended", type, name, {}, answer->text, usage_with(answer->usage)};
      (void)co_await tell(std::move(ended), context);
      if (!answer->handoff.empty()) {
        TeamEvent handoff{"handoff", type, name, {}, answer->handoff, usage_with(answer->usage)};
        (void)co_await tell(std::move(handoff), context);
      }
      result.answer = std::move(answer);
      co_return;
    }
    if (context.is_cancelled()) co_return;
    if (const Usage spent = messages::spent_usage(answer.error()); spent != Usage()) result.spent += spent;
    result.answer = fail(answer.error());
    // The conversation's own time is over: that is no failure of the member, and Team will say so.
    const auto over = team_.deadline();
    result.is_skipped = over && context.now() >= *over;
    auto decision = attempts.after(answer.error());
    const bool goes_on = decision.what == What::retry || decision.what == What::replace;
    // A limit of the team will end the conversation: nothing more is spent before that.
    if (goes_on && !team_.has_means_after(result.spent)) decision.what = What::skip;
    TeamEvent failed{"participant_failed",    type, name, to_string(answer.error().code), answer.error().message,
                     usage_with(result.spent)};
    if (decision.what == What::retry) failed.text += " (tries again)";
    if (decision.what == What::skip) failed.text += " (goes on without)";
    if (decision.what == What::replace) failed.text += " (replaced by " + contact.failure.replacement + ")";
    (void)co_await tell(std::move(failed), context);
    if (result.is_skipped) co_return;
    observer_->member_failed(decision.what);
    if (decision.what == What::abort) co_return;
    if (decision.what == What::skip) {
      result.is_skipped = true;
      co_return;
    }
    if (decision.what == What::replace) {
      target = contact.failure.replacement;
      members_[turn.member] = MemberState();
    }
    if (decision.pause.count() > 0 && !co_await context.sleep(decision.pause)) co_return;
  }
}

Result<Target> TeamManager::target_of(std::string_view text) const {
  const bool has_key = text.find('/') != std::string_view::npos;
  return Target::parse(has_key ? std::string(text) : std::string(text) + "/" + conversation());
}

/// The members' calls belong to this conversation, or to the one that this team is a member of.
CallOptions TeamManager::call_options(milliseconds timeout, const Context& context) const {
  CallOptions options;
  options.timeout = timeout;
  if (const auto over = team_.deadline()) {
    const auto left = std::chrono::duration_cast<milliseconds>(*over - context.now());
    options.timeout = std::max(milliseconds(1), std::min(options.timeout, left));
  }
  if (context.attribute(wire::attribute::kConversation).empty()) {
    options.attributes.emplace_back(wire::attribute::kConversation, conversation());
  }
  return options;
}

Payload TeamManager::turn_message(const teams::Turn& turn) const {
  const teams::TeamPlan& plan = team_.plan();
  TurnRequest request;
  request.name = plan.members[turn.member].seat.name;
  request.thread = team_.thread().seen_by(request.name, plan.history);
  for (const teams::TeamMember& member : plan.members) {
    request.members.push_back({member.seat.name, member.seat.description});
  }
  request.handoffs = turn.handoffs;
  request.instruction = turn.instruction;
  return to_payload(request);
}

/// What has been said since the member was told last; it remembers the rest itself.
Payload TeamManager::news_message(const teams::Turn& turn) const {
  const std::string& name = team_.plan().members[turn.member].seat.name;
  std::string text = rendered(team_.thread().news_for(name, members_[turn.member].told));
  if (!turn.instruction.empty()) text += (text.empty() ? "" : "\n\n") + turn.instruction;
  if (text.empty()) text = "Go on.";
  return to_payload(Text{teams::cut(text, team_.plan().history.max_bytes), std::string(teams::kUserName)});
}

Task<Result<Answer>> TeamManager::ask_member(const teams::Turn& turn, const std::string& target_text,
                                             Context& context) {
  const MemberContact& contact = setup_->contacts[turn.member];
  const std::string name = team_.plan().members[turn.member].seat.name;
  const Result<Target> target = target_of(target_text);
  if (!target) co_return fail(target.error());
  MemberState& state = members_[turn.member];
  const std::uint64_t told = team_.thread().next_number();
  Result<Answer> answer;
  if (!state.wants_text) {
    answer = co_await listen(*target, turn_message(turn), call_options(contact.timeout, context), name, context);
    if (!answer && answer.error().code == ErrorCode::no_handler) state.wants_text = true;
  }
  if (state.wants_text) {
    answer = co_await listen(*target, news_message(turn), call_options(contact.timeout, context), name, context);
    if (answer) state.told = told;
  }
  co_return checked_answer(std::move(answer), turn);
}

Task<Result<Answer>> TeamManager::listen(Target target, Payload message, CallOptions options, std::string name,
                                         Context& context) {
  const std::string type = target.str().substr(0, target.str().find('/'));
  Result<ReplyStream> stream =
      co_await context.request_stream(std::move(target), std::move(message), std::move(options));
  if (!stream) co_return fail(std::move(stream).error());
  for (;;) {
    Result<std::optional<Payload>> piece = co_await stream->next();
    if (!piece) co_return fail(std::move(piece).error());
    if (!*piece) co_return read_member_answer(stream->reply(), name);
    const Result<> passed_on = co_await pass_on(std::move(**piece), name, type, context);
    if (!passed_on) co_return fail(passed_on.error());
  }
}

/// Parts of members under the member's name; those of a member that is a team itself keep the names of its own members.
Task<Result<>> TeamManager::pass_on(Payload part, std::string_view name, std::string_view type, Context& context) {
  if (!context.is_request()) co_return Result<>{};
  if (Result<TextPart> piece = from_payload<TextPart>(part)) {
    if (piece->from.empty() || piece->from == type) piece->from = name;
    co_return co_await context.part(*piece);
  }
  Result<TeamEvent> event = from_payload<TeamEvent>(part);
  if (!event) co_return Result<>{};  // a kind of part that those who watch would not know either
  if (event->team.empty()) {
    if (event->event == "handoff") co_return Result<>{};  // said with the end of the turn, when it has been checked
    event->team = id_.type();
    if (event->from.empty() || event->from == type) event->from = name;
  }
  event->usage = usage_with(event->usage);
  co_return co_await context.part(*event);
}

Usage TeamManager::usage_with(const Usage& more) const {
  Usage sum = team_.usage();
  sum += more;
  return sum;
}

Task<Result<>> TeamManager::tell(TeamEvent event, Context& context) {
  if (!context.is_request()) co_return Result<>{};
  co_return co_await context.part(event);
}

}  // namespace parley::kinds
