// The interface of all that choose the next speakers of a conversation. A strategy sees what was said and says who is
// to speak; it never talks to anybody itself. Pure; one thread. Team has one for each conversation.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agents/teams/thread.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/text.hpp"

namespace parley::teams {

/// A member as strategies know it.
struct Seat {
  std::string name;
  std::string description;
};

/// What a strategy looks at. Views are of the caller.
struct Scene {
  std::span<const Seat> seats;
  const Thread& thread;
};

/// A turn that somebody is to take.
struct Turn {
  std::size_t member = 0;  ///< index of the seat
  /// What it is asked to do now, beyond what the thread says; may be empty.
  std::string instruction = {};
  /// Members (or `user`) that it may hand over to.
  std::vector<std::string> handoffs = {};
  /// Why this one, for those who watch.
  std::string reason = {};
};

/// What came of a turn.
struct Outcome {
  std::size_t member = 0;
  messages::Answer answer = {};
  /// It failed and the policy says to go on without it; the answer is empty.
  bool is_skipped = false;
  /// Not everybody may read it: it is no part of what the team answers.
  bool is_private = false;
};

/// These speak now, all at once when there are several.
struct Speak {
  std::vector<Turn> turns;
};
/// A model (or an agent) is to be asked; its answer comes to advised().
struct Consult {
  std::string system;
  /// The question, and after a bad answer that answer and what is wrong with it, and so on: odd number of texts, the
  /// asker's and the adviser's in turn.
  std::vector<std::string> exchange;
  /// JSON Schema of the answer; empty: plain text.
  std::string schema = {};
};
/// The conversation is over for a reason of the strategy's own, for example `sequence:done`.
struct Finish {
  std::string reason;
};
/// The conversation cannot go on.
struct Break {
  Error error;
};
using Step = std::variant<Speak, Consult, Finish, Break>;

class Strategy {
 public:
  Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  /// A new task has been given.
  virtual void begin(const Scene& scene) = 0;
  /// What a member says for a new task before anybody is asked; nullopt: nothing. Team puts it into the thread.
  struct Opening {
    std::size_t member = 0;
    std::string text;
  };
  [[nodiscard]] virtual std::optional<Opening> opening(std::string_view /*task*/) const { return std::nullopt; }
  /// What to do now. Asking twice gives the same answer.
  [[nodiscard]] virtual Step next(const Scene& scene) = 0;
  /// The turns of the last Speak have ended, in its order; what was said is in the thread already.
  virtual void heard(const std::vector<Outcome>& outcomes, const Scene& scene) = 0;
  /// The last Consult was answered, or failed.
  virtual void advised(const Result<std::string>& /*advice*/, const Scene& /*scene*/) {}

  /// What the team answers when the conversation ends now: the last thing that anybody said, unless the strategy knows
  /// better.
  [[nodiscard]] virtual std::string answer(const Scene& scene) const {
    const messages::ThreadMessage* last = scene.thread.last_of({});
    return last == nullptr ? std::string() : last->text;
  }

  /// Where it stands between two steps, for load(); opaque.
  [[nodiscard]] virtual std::string save() const = 0;
  /// Fails with `invalid` on a text that save() of the same kind of strategy has not written.
  virtual Result<> load(std::string_view state) = 0;
};

using MakeStrategy = std::function<std::unique_ptr<Strategy>()>;

}  // namespace parley::teams
