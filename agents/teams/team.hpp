// The mind of one conversation: given a task, it says step by step what is to be done (who speaks, what a model is to
// be asked, whom to ask whether it is over) until it ends in an answer with its reason. Events and `now` come in,
// actions go out. Pure; one thread. `agents/kinds/team_manager` drives it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agents/teams/repetition.hpp"
#include "agents/teams/strategy.hpp"
#include "agents/teams/termination.hpp"
#include "agents/teams/thread.hpp"
#include "libmsg/core/clock.hpp"

namespace parley::teams {

/// What ends every conversation, whatever its conditions say.
struct TeamLimits {
  /// A round is one step of the strategy: one member speaks, or several at once.
  std::uint64_t max_rounds = 20;
  std::uint64_t max_tokens = 0;           ///< 0: no limit; input and output
  std::uint64_t max_cost_nano_usd = 0;    ///< 0: no limit
  std::chrono::milliseconds max_time{0};  ///< 0: no limit
};

struct TeamMember {
  Seat seat;
  /// Who may see what it says; empty: all.
  std::vector<std::string> visible_to = {};
};

/// What all conversations of one agent type have in common.
struct TeamPlan {
  std::string strategy;  ///< name; saved state of another one is refused
  std::vector<TeamMember> members;
  MakeStrategy make_strategy;
  TeamLimits limits = {};
  std::optional<Condition> termination = std::nullopt;
  /// Unset: circles are not looked for.
  std::optional<RepetitionOptions> repetition = RepetitionOptions{};
  HistoryLimits history = {};
  /// A message that begins with `@name:` is for that member only.
  bool has_private_messages = false;
  /// A new task continues the thread of the last one.
  bool keeps_thread = true;
  /// Whose last message is the answer; empty: the strategy's choice.
  std::string answer_by = {};
};

/// What a team is given.
struct TeamTask {
  std::string text;
  std::string from = std::string(kUserName);
  /// What was said before, for a team that is a member of another one; such a task never continues an earlier thread.
  std::optional<std::vector<messages::ThreadMessage>> thread = std::nullopt;
};

struct TeamAnswer {
  std::string text;
  std::string reason;  ///< `max_rounds:20`, `text:APPROVE`, `aborted:…`
  messages::Usage usage;
  /// Whom the last speaker handed over to, when that ended it.
  std::string handoff;
};

/// What a turn came to: an answer, or the error that its policy could not mend.
struct TurnResult {
  std::size_t member = 0;
  Result<messages::Answer> answer;
  /// With an error: the policy says to go on without it; otherwise the conversation is aborted.
  bool is_skipped = false;
  /// Of attempts that failed, whatever came of the turn in the end.
  messages::Usage spent = {};
};

class Team {
 public:
  /// Ask these agent types whether it is over.
  struct Judge {
    std::vector<std::string> agents;
  };
  struct End {
    /// An error only if the team failed before anybody had said anything.
    Result<TeamAnswer> answer;
  };
  using Action = std::variant<Speak, Consult, Judge, End>;

  explicit Team(std::shared_ptr<const TeamPlan> plan);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() = default;

  /// A task begins, or goes on when it is the one that was interrupted by a restart (see is_resumable()).
  void begin(const TeamTask& task, TimePoint now, WallTime wall);
  /// What to do now. Every action but End must be answered by the event that belongs to it.
  [[nodiscard]] Action next(TimePoint now);
  /// The turns of the last Speak have ended, in its order.
  void heard(std::vector<TurnResult> results, TimePoint now, WallTime wall);
  /// The last Consult has ended.
  void advised(const Result<std::string>& advice, const messages::Usage& usage);
  /// The agents of the last Judge have answered: the reasons of those who say that it is over, by agent type.
  void judged(std::map<std::string, std::string> verdicts, const messages::Usage& usage, TimePoint now);
  /// It cannot go on, for a reason that lies outside of it: ends in what there is, or in the error. `usage`: what was
  /// spent before it failed.
  void give_up(const Error& error, const messages::Usage& usage);
  /// Somebody outside wants it to end: the next action is End. A Consult or Judge under way needs no event any more;
  /// turns under way do, those that were broken off as skipped.
  void stop(std::string reason) { stop_ = std::move(reason); }

  [[nodiscard]] const TeamPlan& plan() const { return *plan_; }
  [[nodiscard]] const Thread& thread() const { return thread_; }
  [[nodiscard]] const messages::Usage& usage() const { return usage_; }
  /// False when a turn that has cost so much already has used up the tokens or the money of the task.
  [[nodiscard]] bool has_means_after(const messages::Usage& more) const;
  [[nodiscard]] std::uint64_t rounds() const { return rounds_; }
  /// Numbers the threads of this team, for the names of its conversations: 1 for the first.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// When the time of the task is over; nullopt without such a limit.
  [[nodiscard]] std::optional<TimePoint> deadline() const;
  /// The first message of a member that has not been asked yet (see Strategy::opening), to be shown; then forgotten.
  [[nodiscard]] std::optional<messages::ThreadMessage> take_opening() { return std::exchange(opening_, std::nullopt); }
  /// True while a task is under way (also in loaded state), and `text` is that task.
  [[nodiscard]] bool is_resumable(std::string_view text) const { return is_running_ && thread_.task() == text; }

  /// The state as of the last completed step; opaque.
  [[nodiscard]] std::string save(TimePoint now) const;
  /// Fails with `invalid` when it is of other members or another strategy, so that a changed team does not go on with a
  /// conversation that does not fit.
  Result<> load(std::string_view state);

 private:
  [[nodiscard]] Scene scene() const { return {seats_, thread_}; }
  void start(const TeamTask& task, WallTime wall);
  [[nodiscard]] Progress progress(TimePoint now) const;
  void say(std::size_t member, const messages::Answer& answer, WallTime wall);
  void look(const Progress& progress);
  [[nodiscard]] std::optional<std::string> limit_reached(TimePoint now) const;
  /// The limit of tokens or money that is reached when so much was spent.
  [[nodiscard]] std::optional<std::string> means_used_up(const messages::Usage& spent) const;
  void end(std::string reason);
  void abort(const Error& error, std::string_view who);

  std::shared_ptr<const TeamPlan> plan_;
  std::vector<Seat> seats_;
  std::vector<std::string> names_;
  std::unique_ptr<Strategy> strategy_;
  Termination termination_;
  std::optional<Repetition> repetition_;
  Thread thread_;

  bool is_running_ = false;
  bool is_resumed_ = false;  ///< loaded in the middle of a task, which has not been given again yet
  std::uint64_t generation_ = 1;
  std::uint64_t rounds_ = 0;
  std::uint64_t messages_ = 0;
  messages::Usage usage_;
  TimePoint started_{};
  Duration elapsed_before_{};  ///< of the task, before a restart
  std::optional<std::string> stop_;
  std::optional<messages::ThreadMessage> opening_;
  std::vector<std::string> judges_;  ///< to be asked next
  std::optional<End> end_;
  std::string handoff_;
};

}  // namespace parley::teams
