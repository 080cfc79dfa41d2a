#include "agents/kinds/human_input.hpp"

#include <algorithm>
#include <utility>

#include "libmsg/core/ascii.hpp"

namespace parley::kinds {
bool HumanInput::wants_to_end(std::string_view message) const {
  message = trimmed(message);
  while (!message.empty() && (message.back() == '.' || message.back() == '!')) message.remove_suffix(1);
  return std::ranges::any_of(options_.end_texts, [message](const std::string& end) { return message.ends_with(end); });
}

HumanInput::Decision HumanInput::on_turn(std::string_view message) {
  using Mode = HumanInputOptions::Mode;
  if (options_.mode == Mode::always) return {Step::ask, {}};
  const bool is_at_end = wants_to_end(message) || auto_replies_ >= options_.max_consecutive_auto_reply;
  if (!is_at_end) return reply_to(message);
  return options_.mode == Mode::on_terminate ? Decision{Step::ask, {}} : finish({});
}

HumanInput::Decision HumanInput::on_answer(std::string_view answer, std::string_view message) {
  const std::string_view said = trimmed(answer);
  if (equals_any_case(said, options_.end_word)) return finish(said);
  if (!said.empty()) {
    auto_replies_ = 0;
    return {Step::reply, std::string(answer)};
  }
  const bool may_reply = !wants_to_end(message) && auto_replies_ < options_.max_consecutive_auto_reply;
  return may_reply ? reply_to(message) : finish({});
}

HumanInput::Decision HumanInput::reply_to(std::string_view message) {
  ++auto_replies_;
  const auto fits = [message](const AutoReply& rule) { return contains_any_case(message, rule.contains); };
  const auto found = std::ranges::find_if(options_.auto_replies, fits);
  return {Step::reply, found == options_.auto_replies.end() ? options_.default_reply : found->reply};
}

HumanInput::Decision HumanInput::finish(std::string_view text) {
  auto_replies_ = 0;
  return {Step::finish, text.empty() ? options_.end_word : std::string(text)};
}

}  // namespace parley::kinds
