// Lines in, answers out: the conversation of `parley chat`, `parley up --standalone` and `parley demo --interactive`.
// Loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libmsg/core/clock.hpp"
#include "services/cli/chat_link.hpp"
#include "services/cli/chat_transcript.hpp"
#include "services/cli/console.hpp"
#include "services/cli/line_source.hpp"
#include "services/cli/team_view.hpp"
#include "services/cli/word_wrapper.hpp"

namespace parley::cli {

/// Prints one answer while it comes: the speaker once, then the pieces, or the whole text if there were none.
class AnswerPrinter {
 public:
  enum class Lines : std::uint8_t { as_they_are, wrapped };

  AnswerPrinter(Console& console, std::string default_speaker, Lines lines)
      : console_(console), speaker_(std::move(default_speaker)), lines_(lines) {}
  void part(const messages::TextPart& piece);
  /// Something happens in a team (or with a tool): from now on this answer's speakers are shown one below the other,
  /// and the answer itself after them.
  void event(const messages::TeamEvent& event);
  void finish(const messages::Answer& answer);
  /// After a failure in the middle of an answer.
  void abandon();

 private:
  void begin(const std::string& from);
  void write(std::string_view text);

  Console& console_;
  std::string speaker_;
  Lines lines_;
  bool has_begun_ = false;
  std::optional<TeamView> view_;        ///< of an answer with events
  bool is_team_ = false;                ///< they are those of a team
  std::optional<WordWrapper> wrapper_;  ///< of the answer that has begun, when lines are wrapped
};

struct ChatLoopOptions {
  /// One JSON object a line for everything that comes: parts, events of teams and tools, in the end the answer.
  bool is_json = false;
  std::string agent;  ///< what the answers' speaker is called when they do not say
  /// Borrowed; gets every exchange. Null: none is kept.
  ChatTranscript* transcript = nullptr;
};

/// Talks until the input ends. Returns 0, or the exit code of the first failure when the input is no terminal. A
/// transcript that cannot be written ends it, too.
Task<int> chat_loop(ChatLink& link, LineSource& lines, bool is_terminal_input, Console& console, const Clock& clock,
                    const ChatLoopOptions& options);

}  // namespace parley::cli
