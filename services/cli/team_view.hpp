// Shows a conversation of agents as it happens: who speaks, what he says while he says it, which tools he uses, what it
// has cost so far. When several speak at once, one is shown live and the others as soon as he has finished. Pure: text
// goes to a function. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "services/cli/console.hpp"
#include "services/cli/word_wrapper.hpp"

namespace parley::cli {

class TeamView {
 public:
  using Write = std::function<void(std::string_view text)>;
  using Paint = std::function<std::string(Color color, std::string_view text)>;

  /// `team` is the agent type whose conversation it is: the end of an inner team's is only mentioned.
  TeamView(Write write, Paint paint, std::size_t width, std::string team);

  void part(const messages::TextPart& piece);
  void event(const messages::TeamEvent& event);
  /// Ends an open line and shows what was held back.
  void finish();

  /// One line about who is at work, for while nothing else is shown; empty when somebody is shown live.
  [[nodiscard]] std::string status() const;

 private:
  /// One turn, from its start until everything of it has been shown.
  struct Turn {
    std::string from;
    std::string reason;
    std::string held_back;        ///< lines and text that wait because somebody else is shown live
    bool ends_with_line = false;  ///< held_back does, and not with a text that may go on
    bool has_text = false;
    bool is_shown = false;  ///< the header is out
    bool is_over = false;
  };

  Turn& turn_of(const std::string& from);
  void begin(Turn& turn);
  void text(Turn& turn, std::string_view piece);
  void line(Turn& turn, Color color, std::string_view text);
  void close_line();
  void end(Turn& turn);
  void show_next();
  [[nodiscard]] std::string cost() const;

  Write write_;
  Paint paint_;
  std::size_t width_;
  std::string team_;
  std::set<std::string> inner_teams_;   ///< members that are teams: what they answer has been shown already
  std::list<Turn> turns_;               ///< those that are not over, or not shown, in the order of their start
  Turn* live_ = nullptr;                ///< of turns_
  std::optional<WordWrapper> wrapper_;  ///< of the text that is being shown
  messages::Usage usage_;
};

/// `1.2k tokens, $0.0012`, as far as there is something to tell.
[[nodiscard]] std::string describe_usage(const messages::Usage& usage);
/// The first line of a text, shortened to `width` columns.
[[nodiscard]] std::string first_line(std::string_view text, std::size_t width);

}  // namespace parley::cli
