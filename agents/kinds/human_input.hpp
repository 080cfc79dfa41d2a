// What a person's proxy does when it gets the floor in a conversation: asks the person, answers by itself, or ends the
// conversation. Pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::kinds {

/// An answer without a person, for messages that contain a text; any case counts.
struct AutoReply {
  std::string contains;
  std::string reply;
};

struct HumanInputOptions {
  enum class Mode : std::uint8_t {
    always,        ///< a person is asked at every turn
    on_terminate,  ///< only when the conversation would end: at an end text, and after the last answer by itself
    never,
  };

  Mode mode = Mode::always;
  /// Answers in a row without a person; after them on_terminate asks one, and the other modes end the conversation.
  std::uint32_t max_consecutive_auto_reply = 10;
  /// The first that fits; else `default_reply`.
  std::vector<AutoReply> auto_replies;
  std::string default_reply = "Please go on.";
  /// A message that ends with one of these wants to end the conversation.
  std::vector<std::string> end_texts{"TERMINATE"};
  /// What a person says to end it; alone, in any case.
  std::string end_word = "END";
};

class HumanInput {
 public:
  enum class Step : std::uint8_t {
    ask,     ///< a person
    reply,   ///< with `text`
    finish,  ///< the conversation, with `text`
  };
  struct Decision {
    Step step = Step::ask;
    std::string text;
    friend bool operator==(const Decision&, const Decision&) = default;
  };

  explicit HumanInput(HumanInputOptions options) : options_(std::move(options)) {}

  /// The floor is given, after `message` was said.
  [[nodiscard]] Decision on_turn(std::string_view message);
  /// The person has answered to `message`: the end word finishes, an empty answer lets the proxy answer by itself as
  /// long as it may, anything else is said.
  [[nodiscard]] Decision on_answer(std::string_view answer, std::string_view message);

  [[nodiscard]] std::uint32_t consecutive_auto_replies() const { return auto_replies_; }
  /// Goes on where a saved proxy stood.
  void restore(std::uint32_t consecutive_auto_replies) { auto_replies_ = consecutive_auto_replies; }

 private:
  [[nodiscard]] bool wants_to_end(std::string_view message) const;
  [[nodiscard]] Decision reply_to(std::string_view message);
  [[nodiscard]] Decision finish(std::string_view text);

  HumanInputOptions options_;
  std::uint32_t auto_replies_ = 0;
};

}  // namespace parley::kinds
