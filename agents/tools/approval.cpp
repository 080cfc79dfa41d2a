#include "agents/tools/approval.hpp"

#include <algorithm>
#include <utility>

#include "agents/people/ask.hpp"
#include "agents/tools/tool_text.hpp"
#include "libmsg/core/duration.hpp"
#include "libmsg/core/utf8.hpp"
#include "libmsg/messages/conversation.hpp"

namespace parley::tools {

using messages::Answered;
using messages::TeamEvent;
using messages::ToolCall;

namespace {

constexpr std::size_t kMaxShownArguments = 12'000;

std::string value_text(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string question_text(const ToolCall& call, const Context& turn) {
  const std::string arguments = clean_utf8(call.arguments);
  const std::string_view shown = utf8_prefix(arguments, kMaxShownArguments);
  std::string text = turn.self().str() + " wants to use the tool '" + call.name + "' with " + std::string(shown);
  if (shown.size() < arguments.size()) text += "… (" + std::to_string(arguments.size()) + " bytes)";
  return text;
}

Approval decision_of(const Answered& answered, std::chrono::milliseconds waited) {
  if (answered.is_default) return {false, {}, "nobody approved it within " + format_duration(waited)};
  if (answered.answer == people::kApprove) return {true, answered.by.empty() ? "someone" : answered.by, {}};
  std::string reason = (answered.by.empty() ? "a person" : answered.by) + " refused it";
  if (answered.answer != people::kReject && !answered.answer.empty()) reason += ": " + answered.answer;
  return {false, answered.by, std::move(reason)};
}

}  // namespace

bool ApprovalRule::is_needed(const nlohmann::json& arguments) const {
  if (when == When::never || when == When::always) return when == When::always;
  const std::string all = value_text(arguments);
  const auto is_found = [&](const ApprovalPattern& each) {
    if (each.argument.empty()) return each.pattern.is_found_in(all);
    const auto found = arguments.find(each.argument);
    return found != arguments.end() && each.pattern.is_found_in(value_text(*found));
  };
  return when == When::matching ? std::ranges::any_of(patterns, is_found) : !std::ranges::all_of(patterns, is_found);
}

Task<Result<Approval>> ask_for_approval(const ApprovalRule& rule, const ToolCall& call, Context& turn) {
  people::Question question = people::approval(question_text(call, turn), rule.timeout);
  if (turn.is_request()) {
    TeamEvent event;
    event.event = "question";
    event.from = turn.self().type();
    event.detail = call.name;
    event.text = question.text;
    const Result<> told = co_await turn.part(event);
    if (!told && told.error().code == ErrorCode::cancelled) co_return fail(told.error());
  }
  const std::chrono::milliseconds wait = people::patience(turn, rule.timeout);
  const Result<Answered> answered = co_await people::ask_person(turn, std::move(question));
  if (answered) co_return decision_of(*answered, wait);
  if (answered.error().code == ErrorCode::cancelled) co_return fail(answered.error());
  co_return Approval{
      false, {}, "nobody could be asked: " + to_string(answered.error().code) + ": " + answered.error().message};
}

}  // namespace parley::tools
