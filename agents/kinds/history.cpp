#include "agents/kinds/history.hpp"

#include <algorithm>
#include <utility>

#include "agents/kinds/clip_text.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::kinds {
namespace {

using llm::ChatMessage;
using llm::Role;

struct SavedTurnMessage {
  std::uint8_t role = 0;
  std::string content;
  std::vector<messages::ToolCall> tool_calls;
  std::string tool_call_id;
  bool is_tool_error = false;
  PARLEY_FIELDS(role, content, tool_calls, tool_call_id, is_tool_error)
};

/// The saved form. Version 1 had questions and answers in turn as `texts`, and nothing else.
struct SavedHistory {
  std::uint32_t version = 2;
  std::vector<std::string> texts;
  std::vector<std::vector<SavedTurnMessage>> turns;
  std::string summary;
  std::string thread_summary;
  std::uint64_t thread_messages = 0;
  std::uint64_t thread_digest = 0;
  PARLEY_FIELDS(version, texts, turns, summary, thread_summary, thread_messages, thread_digest)
};

constexpr std::uint32_t kHistoryVersion = 2;

std::size_t bytes_of(const std::vector<ChatMessage>& turn) {
  std::size_t bytes = 0;
  for (const ChatMessage& message : turn) {
    bytes += message.content.size() + message.tool_call_id.size();
    for (const messages::ToolCall& call : message.tool_calls)
      bytes += call.id.size() + call.name.size() + call.arguments.size();
  }
  return bytes;
}

/// A turn begins with a question and ends with an answer; in between, each tool call has its results.
bool is_turn(const std::vector<ChatMessage>& turn) {
  if (turn.size() < 2 || turn.front().role != Role::user || turn.back().role != Role::assistant) return false;
  if (!turn.back().tool_calls.empty()) return false;
  std::size_t open = 0;
  for (std::size_t i = 1; i < turn.size(); ++i) {
    const ChatMessage& message = turn[i];
    if (message.role == Role::tool ? open == 0 : open != 0) return false;
    if (message.role != Role::tool && message.role != Role::assistant) return false;
    open = message.role == Role::tool ? open - 1 : message.tool_calls.size();
  }
  return true;
}

Result<std::vector<ChatMessage>> loaded_turn(std::vector<SavedTurnMessage> saved) {
  std::vector<ChatMessage> turn;
  for (SavedTurnMessage& message : saved) {
    if (message.role > static_cast<std::uint8_t>(Role::tool)) break;
    turn.push_back({.role = static_cast<Role>(message.role),
                    .content = std::move(message.content),
                    .tool_calls = std::move(message.tool_calls),
                    .tool_call_id = std::move(message.tool_call_id),
                    .is_tool_error = message.is_tool_error});
  }
  if (turn.size() != saved.size() || !is_turn(turn)) return fail(ErrorCode::invalid, "the saved history is damaged");
  return turn;
}

/// Version 1 as version 2 has it.
Result<std::vector<std::vector<ChatMessage>>> loaded_turns(SavedHistory& saved) {
  std::vector<std::vector<ChatMessage>> turns;
  if (saved.version == 1) {
    if (saved.texts.size() % 2 != 0) return fail(ErrorCode::invalid, "the saved history is damaged");
    for (std::size_t i = 0; i < saved.texts.size(); i += 2) {
      turns.push_back({{Role::user, std::move(saved.texts[i])}, {Role::assistant, std::move(saved.texts[i + 1])}});
    }
    return turns;
  }
  for (std::vector<SavedTurnMessage>& each : saved.turns) {
    Result<std::vector<ChatMessage>> turn = loaded_turn(std::move(each));
    if (!turn) return fail(std::move(turn).error());
    turns.push_back(std::move(*turn));
  }
  return turns;
}

}  // namespace

std::vector<ChatMessage> History::messages() const {
  std::vector<ChatMessage> messages;
  for (const Turn& turn : turns_) messages.insert(messages.end(), turn.begin(), turn.end());
  return messages;
}

void History::add(Turn turn) {
  if (!is_turn(turn) || limits_.max_turns == 0) return;
  for (ChatMessage& message : turn) message.provider_state.clear();
  if (bytes_of(turn) > limits_.max_bytes) turn.erase(turn.begin() + 1, turn.end() - 1);
  const std::size_t bytes = bytes_of(turn);
  if (bytes > limits_.max_bytes) return;
  bytes_ += bytes;
  turns_.push_back(std::move(turn));
  while (turns_.size() > limits_.max_turns || bytes_ > limits_.max_bytes) {
    bytes_ -= bytes_of(turns_.front());
    turns_.pop_front();
  }
}

void History::fold(std::size_t messages, std::string summary) {
  while (!turns_.empty() && turns_.front().size() <= messages) {
    messages -= turns_.front().size();
    bytes_ -= bytes_of(turns_.front());
    turns_.pop_front();
  }
  summary_ = clip_text(std::move(summary), kMaxSummaryBytes);
}

void History::set_thread_summary(ThreadSummary summary) {
  thread_summary_ = std::move(summary);
  thread_summary_.text = clip_text(std::move(thread_summary_.text), kMaxSummaryBytes);
}

std::string History::save() const {
  if (turns_.empty() && summary_.empty() && thread_summary_ == ThreadSummary()) return {};
  SavedHistory saved;
  saved.version = kHistoryVersion;
  for (const Turn& turn : turns_) {
    std::vector<SavedTurnMessage>& messages = saved.turns.emplace_back();
    for (const ChatMessage& message : turn) {
      messages.push_back({static_cast<std::uint8_t>(message.role), message.content, message.tool_calls,
                          message.tool_call_id, message.is_tool_error});
    }
  }
  saved.summary = summary_;
  saved.thread_summary = thread_summary_.text;
  saved.thread_messages = thread_summary_.messages;
  saved.thread_digest = thread_summary_.digest;
  return std::string(wire::encode_body(saved).text());
}

Result<> History::load(std::string_view state) {
  Result<SavedHistory> saved = wire::decode_body<SavedHistory>(as_bytes(state));
  if (!saved) return fail(std::move(saved).error());
  if (saved->version == 0 || saved->version > kHistoryVersion) {
    return fail(ErrorCode::invalid, "the saved history is of another version");
  }
  Result<std::vector<Turn>> turns = loaded_turns(*saved);
  if (!turns) return fail(std::move(turns).error());
  turns_.clear();
  bytes_ = 0;
  for (Turn& turn : *turns) add(std::move(turn));
  summary_ = clip_text(std::move(saved->summary), kMaxSummaryBytes);
  set_thread_summary({std::move(saved->thread_summary), saved->thread_messages, saved->thread_digest});
  return {};
}

}  // namespace parley::kinds
