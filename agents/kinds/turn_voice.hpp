// What whoever waits for a turn's reply hears on the way: pieces of text and what happens. Silent when nobody waits.
// Loop thread only.
#pragma once

#include <string>
#include <string_view>

#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/context.hpp"

namespace parley::kinds {

class TurnVoice {
 public:
  /// Longer texts of events are cut: an event is for watching, the model gets the whole.
  static constexpr std::size_t kMaxEventText = std::size_t{8} * 1024;

  /// `from` is who speaks. The context must outlive the voice.
  TurnVoice(Context& context, std::string from) : context_(context), from_(std::move(from)) {}

  /// A piece of the answer. The view must be valid until the task has completed.
  Task<Result<>> say(std::string_view piece);
  /// `event` is one of TeamEvent's; the usage is that of the turn so far.
  Task<Result<>> tell(std::string event, std::string detail, std::string text, messages::Usage usage);

  [[nodiscard]] const std::string& from() const { return from_; }

 private:
  Context& context_;
  std::string from_;
};

}  // namespace parley::kinds
