// What the members of a conversation tell each other. A manager owns the thread; a participant gets the part of it that
// it may see, with each turn, and keeps nothing that it could not lose. PROTOCOL.md §Shared messages documents each
// field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/messages/text.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::messages {

/// One utterance in a conversation's thread.
struct ThreadMessage {
  static constexpr std::string_view kTypeName = "parley.ThreadMessage";
  std::string from;  ///< name of the participant; `user` for whoever gave the task
  std::string text;
  /// Names of the participants that may see it; empty: all.
  std::vector<std::string> visible_to;
  std::uint64_t at_ms = 0;  ///< wall clock, ms since 1970
  PARLEY_FIELDS(from, text, visible_to, at_ms)
  friend bool operator==(const ThreadMessage&, const ThreadMessage&) = default;
};

/// Another member of the conversation, as far as a participant needs to know it.
struct Member {
  std::string name;
  std::string description;
  PARLEY_FIELDS(name, description)
  friend bool operator==(const Member&, const Member&) = default;
};

/// Gives a participant the floor. Answered with an Answer, streamed as TextPart and TeamEvent on the way.
struct TurnRequest {
  static constexpr std::string_view kTypeName = "parley.TurnRequest";
  /// As which of the members the participant is asked.
  std::string name;
  /// Oldest first; what the participant may see, within the conversation's limits.
  std::vector<ThreadMessage> thread;
  std::vector<Member> members;
  /// Members that it may hand over to (see Answer::handoff); empty: none.
  std::vector<std::string> handoffs;
  /// What it is asked to do now, beyond its own instructions; may be empty.
  std::string instruction;
  PARLEY_FIELDS(name, thread, members, handoffs, instruction)
  friend bool operator==(const TurnRequest&, const TurnRequest&) = default;
};

/// What happens inside a conversation, for those who watch: streamed as a part of the manager's (or assistant's) reply.
struct TeamEvent {
  static constexpr std::string_view kTypeName = "parley.TeamEvent";
  /// `turn_started`, `turn_ended` (text: what was said), `tool_call` (text: arguments), `tool_result` (text: content),
  /// `handoff` (text: to whom), `question` (a person is asked), `participant_failed`, `ended` (text: why).
  std::string event;
  std::string team;    ///< agent type of the manager; empty for an assistant's own events
  std::string from;    ///< who
  std::string detail;  ///< tool's name, speaker's reason, error's code
  std::string text;
  Usage usage;  ///< of the whole conversation so far
  PARLEY_FIELDS(event, team, from, detail, text, usage)
  friend bool operator==(const TeamEvent&, const TeamEvent&) = default;
};

/// To a team at work: ends its conversation at once, in the middle of a turn, with what there is so far. Taken beside
/// the turn under way; answered with an empty payload, or with `invalid` when no conversation is under way.
struct Stop {
  static constexpr std::string_view kTypeName = "parley.Stop";
  std::string reason;
  PARLEY_FIELDS(reason)
  friend bool operator==(const Stop&, const Stop&) = default;
};

/// A Text to `<team's type>/<key>!stop` is passed on as a Stop to `<team's type>/<key>`.
inline constexpr std::string_view kStopSuffix = "!stop";

}  // namespace parley::messages
