#include "agents/kinds/conversation.hpp"

#include <utility>

#include "libmsg/core/ascii.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::kinds {
namespace {

struct SavedConversation {
  std::uint32_t version = 1;
  std::string agent_type;
  std::uint64_t number = 1;
  PARLEY_FIELDS(version, agent_type, number)
};

}  // namespace

Conversation::Conversation(std::string session, std::string end_word)
    : session_(std::move(session)), end_word_(std::move(end_word)) {}

Conversation::Step Conversation::step_for(std::string_view text) const {
  const bool is_end = equals_any_case(trimmed(text), end_word_);
  if (is_connected()) return is_end ? Step::finish : Step::ask;
  return is_end ? Step::idle : Step::route;
}

void Conversation::finish() {
  agent_type_.clear();
  ++number_;
}

std::string Conversation::agent_key() const {
  return number_ == 1 ? session_ : session_ + "~" + std::to_string(number_);
}

std::string Conversation::save() const {
  return std::string(wire::encode_body(SavedConversation{1, agent_type_, number_}).text());
}

Result<> Conversation::load(std::string_view state) {
  Result<SavedConversation> saved = wire::decode_body<SavedConversation>(as_bytes(state));
  if (!saved) return fail(std::move(saved).error());
  const bool is_type_valid = saved->agent_type.empty() || is_valid_agent_type(saved->agent_type);
  if (saved->version != 1 || saved->number == 0 || !is_type_valid) {
    return fail(ErrorCode::invalid, "the saved conversation is of another version");
  }
  agent_type_ = std::move(saved->agent_type);
  number_ = saved->number;
  return {};
}

}  // namespace parley::kinds
