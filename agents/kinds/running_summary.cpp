#include "agents/kinds/running_summary.hpp"

#include "agents/kinds/clip_text.hpp"

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;

/// Of one result of a tool. What mattered of it is in the answer that followed.
constexpr std::size_t kMaxSummedResultBytes = 2'000;

std::string summary_line(const ChatMessage& message) {
  switch (message.role) {
    case Role::user:
      return "user: " + message.content + "\n";
    case Role::tool:
      return "result: " + clip_text(message.content, kMaxSummedResultBytes) + "\n";
    case Role::system:
      return {};
    case Role::assistant:
      break;
  }
  std::string text;
  if (!message.content.empty()) text += "assistant: " + message.content + "\n";
  for (const messages::ToolCall& call : message.tool_calls) {
    text += "assistant uses " + call.name + " " + clip_text(call.arguments, kMaxSummedResultBytes) + "\n";
  }
  return text;
}

}  // namespace

std::vector<ChatMessage> summary_messages(const SummaryOptions& options, std::string_view earlier,
                                          std::span<const ChatMessage> messages) {
  std::string text;
  if (!earlier.empty()) text += "Summary of what came before:\n" + std::string(earlier) + "\n\n";
  text += "Conversation:\n";
  for (const ChatMessage& message : messages) text += summary_line(message);
  return {{Role::system, options.prompt}, {Role::user, std::move(text)}};
}

std::string with_summary(std::string system_prompt, std::string_view summary) {
  if (summary.empty()) return system_prompt;
  if (!system_prompt.empty()) system_prompt += "\n\n";
  return system_prompt + "Summary of the earlier conversation:\n" + std::string(summary);
}

}  // namespace parley::kinds
