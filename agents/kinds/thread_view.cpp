#include "agents/kinds/thread_view.hpp"

#include <utility>

namespace parley::kinds {

using llm::ChatMessage;
using llm::Role;
using messages::Member;
using messages::ThreadMessage;
using messages::TurnRequest;

namespace {

/// Whoever gave the task; has no name for the model.
constexpr std::string_view kTaskGiver = "user";

std::string heard_text(const ThreadMessage& message) {
  const bool is_private = !message.visible_to.empty();
  if (message.from.empty() || message.from == kTaskGiver)
    return is_private ? "(privately) " + message.text : message.text;
  return message.from + (is_private ? " (privately): " : ": ") + message.text;
}

}  // namespace

Result<std::vector<ChatMessage>> thread_view(const TurnRequest& request) {
  std::vector<ChatMessage> view;
  for (const ThreadMessage& message : request.thread) {
    if (message.text.empty()) continue;
    const bool is_own = message.from == request.name && !request.name.empty();
    if (is_own && view.empty()) view.push_back({Role::user, "[The conversation has begun earlier.]"});
    view.push_back(is_own ? ChatMessage{Role::assistant, message.text} : ChatMessage{Role::user, heard_text(message)});
  }
  if (!request.instruction.empty()) {
    view.push_back({Role::user, request.instruction});
  } else if (!view.empty() && view.back().role == Role::assistant) {
    view.push_back({Role::user, "[It is your turn again. Go on.]"});
  }
  if (view.empty()) return fail(ErrorCode::invalid, "the thread is empty and so is the instruction: nothing to answer");
  return view;
}

std::string members_text(const TurnRequest& request) {
  std::string text;
  for (const Member& member : request.members) {
    if (member.name == request.name) continue;
    if (!text.empty()) text += '\n';
    text += "- " + member.name;
    if (!member.description.empty()) text += ": " + member.description;
  }
  return text.empty() ? "(nobody else)" : text;
}

}  // namespace parley::kinds
