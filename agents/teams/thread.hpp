// The thread of one conversation: what was said, by whom, and who may see it. The manager owns it; every participant
// gets its own view of it with each turn, within limits. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/messages/conversation.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::teams {

/// How whoever gave the task is called in a thread.
inline constexpr std::string_view kUserName = "user";

/// How much of a thread one participant gets to see. The task and the newest messages come first.
struct HistoryLimits {
  std::size_t max_messages = 100;
  std::size_t max_bytes = std::size_t{128} * 1024;
};

class Thread {
 public:
  /// What is kept at most; beyond it the oldest message after the task is forgotten.
  static constexpr std::size_t kMaxMessages = 2000;
  static constexpr std::size_t kMaxBytes = std::size_t{4} * 1024 * 1024;

  /// Adds a message; one beyond kMaxBytes is cut, with a note. Public ones have an empty `visible_to`.
  void add(messages::ThreadMessage message);
  /// What comes next is about a new task: the next message is kept as long as the task is under way.
  void begin_task();
  void clear();

  /// Oldest first, the task and then as many of the newest messages as fit. A message that is larger than all the room
  /// is cut, with a note.
  [[nodiscard]] std::vector<messages::ThreadMessage> seen_by(std::string_view name, const HistoryLimits& limits) const;
  /// Only what was added at number `first` or later, without what `name` said itself: news for an agent that remembers
  /// the rest.
  [[nodiscard]] std::vector<messages::ThreadMessage> news_for(std::string_view name, std::uint64_t first) const;

  [[nodiscard]] bool is_empty() const { return messages_.empty(); }
  [[nodiscard]] const std::deque<messages::ThreadMessage>& messages() const { return messages_; }
  /// Number that the next message gets; the first one ever had 0.
  [[nodiscard]] std::uint64_t next_number() const { return first_number_ + messages_.size(); }
  /// The newest message of a participant, or of anybody but the user if `name` is empty; public ones are preferred.
  /// Null when there is none since begin_task().
  [[nodiscard]] const messages::ThreadMessage* last_of(std::string_view name) const;
  /// The task's text; empty before there is one.
  [[nodiscard]] std::string_view task() const;

  struct Saved {
    std::vector<messages::ThreadMessage> messages;
    std::uint64_t first_number = 0;
    std::uint64_t task_number = 0;
    PARLEY_FIELDS(messages, first_number, task_number)
  };
  [[nodiscard]] Saved save() const;
  void load(Saved saved);

 private:
  [[nodiscard]] std::size_t task_index() const;
  void forget_oldest();

  std::deque<messages::ThreadMessage> messages_;
  std::size_t bytes_ = 0;
  std::uint64_t first_number_ = 0;  ///< of messages_.front()
  std::uint64_t task_number_ = 0;   ///< of the task's message
};

[[nodiscard]] bool is_visible_to(const messages::ThreadMessage& message, std::string_view name);

/// A message that begins with `@name:` (or `@name @other:`) is for those members only.
struct Addressed {
  std::vector<std::string> names;  ///< empty: it is for all
  std::string text;                ///< without the address
};
/// Names that are no members make it an ordinary message, for a text may begin with anything.
[[nodiscard]] Addressed read_address(std::string_view text, std::span<const std::string> members);

/// At most `max_bytes` of `text`, never splitting a UTF-8 character, with a note in the end that something was cut.
[[nodiscard]] std::string cut(std::string_view text, std::size_t max_bytes);

}  // namespace parley::teams
