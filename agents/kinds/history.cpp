#include "agents/kinds/history.hpp"

#include <cstdint>
#include <utility>

#include "libmsg/wire/control.hpp"

namespace parley::kinds {
namespace {

/// The saved form: questions and answers in turn.
struct SavedHistory {
  std::uint32_t version = 1;
  std::vector<std::string> texts;
  MSGPACK_DEFINE_MAP(version, texts)
};

}  // namespace

std::vector<llm::ChatMessage> History::messages(std::string_view system_prompt, std::string_view question) const {
  std::vector<llm::ChatMessage> messages;
  messages.reserve(turns_.size() * 2 + 2);
  if (!system_prompt.empty()) messages.push_back({llm::Role::system, std::string(system_prompt)});
  for (const Turn& turn : turns_) {
    messages.push_back({llm::Role::user, turn.question});
    messages.push_back({llm::Role::assistant, turn.answer});
  }
  messages.push_back({llm::Role::user, std::string(question)});
  return messages;
}

void History::add(std::string question, std::string answer) {
  Turn turn{std::move(question), std::move(answer)};
  if (turn.bytes() > limits_.max_bytes || limits_.max_turns == 0) return;
  bytes_ += turn.bytes();
  turns_.push_back(std::move(turn));
  while (turns_.size() > limits_.max_turns || bytes_ > limits_.max_bytes) {
    bytes_ -= turns_.front().bytes();
    turns_.pop_front();
  }
}

std::string History::save() const {
  if (turns_.empty()) return {};
  SavedHistory saved;
  for (const Turn& turn : turns_) {
    saved.texts.push_back(turn.question);
    saved.texts.push_back(turn.answer);
  }
  return std::string(wire::encode_body(saved).text());
}

Result<> History::load(std::string_view state) {
  Result<SavedHistory> saved = wire::decode_body<SavedHistory>(as_bytes(state));
  if (!saved) return fail(std::move(saved).error());
  if (saved->version != 1 || saved->texts.size() % 2 != 0) {
    return fail(ErrorCode::invalid, "the saved history is of another version");
  }
  turns_.clear();
  bytes_ = 0;
  for (std::size_t i = 0; i < saved->texts.size(); i += 2)
    add(std::move(saved->texts[i]), std::move(saved->texts[i + 1]));
  return {};
}

}  // namespace parley::kinds
