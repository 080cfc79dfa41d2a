// What an assistant remembers of one conversation: finished turns with their tool calls, bounded in number and bytes,
// the oldest forgotten first, and the summary of those that a model has summed up. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_model.hpp"
#include "libmsg/core/error.hpp"

namespace parley::kinds {

struct HistoryLimits {
  std::size_t max_turns = 20;
  std::size_t max_bytes = std::size_t{64} * 1024;
};

/// The summary of the first messages of a thread that somebody else owns. It holds for a thread that begins with the
/// same messages, so it may be lost at any time: it is made anew.
struct ThreadSummary {
  std::string text;
  std::uint64_t messages = 0;  ///< how many it stands for
  std::uint64_t digest = 0;    ///< of those
  friend bool operator==(const ThreadSummary&, const ThreadSummary&) = default;
};

class History {
 public:
  /// Longer summaries are cut here, so that the saved state stays bounded.
  static constexpr std::size_t kMaxSummaryBytes = std::size_t{16} * 1024;

  explicit History(HistoryLimits limits) : limits_(limits) {}

  /// The remembered turns, oldest first. Every tool call is followed by its results.
  [[nodiscard]] std::vector<llm::ChatMessage> messages() const;
  /// Remembers one finished turn: the question, what tools were used for it, the answer. A turn that is larger than
  /// the limit is kept without its tool calls, or not at all. What providers want back within a turn is not kept.
  void add(std::vector<llm::ChatMessage> turn);

  /// What stands for the turns that were summed up; may be empty.
  [[nodiscard]] const std::string& summary() const { return summary_; }
  /// Forgets the oldest turns, as long as they are wholly within the first `messages`; `summary` stands for them.
  void fold(std::size_t messages, std::string summary);

  [[nodiscard]] const ThreadSummary& thread_summary() const { return thread_summary_; }
  void set_thread_summary(ThreadSummary summary);

  [[nodiscard]] std::size_t turns() const { return turns_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Opaque text for load(); empty when there is nothing to remember.
  [[nodiscard]] std::string save() const;
  /// Replaces the history, within the limits. Fails with `invalid` on a text that save() has not written.
  Result<> load(std::string_view state);

 private:
  using Turn = std::vector<llm::ChatMessage>;

  HistoryLimits limits_;
  std::deque<Turn> turns_;
  std::size_t bytes_ = 0;
  std::string summary_;
  ThreadSummary thread_summary_;
};

}  // namespace parley::kinds
