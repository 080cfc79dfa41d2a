// What an assistant remembers of one conversation: finished turns, bounded in number and bytes, the oldest forgotten
// first. Pure; one thread.
#pragma once

#include <cstddef>
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

class History {
 public:
  explicit History(HistoryLimits limits) : limits_(limits) {}

  /// What the model is to see: the system prompt (unless empty), the remembered turns, and the new question.
  [[nodiscard]] std::vector<llm::ChatMessage> messages(std::string_view system_prompt, std::string_view question) const;
  /// Remembers one finished turn. A turn larger than the limit is not kept at all.
  void add(std::string question, std::string answer);

  [[nodiscard]] std::size_t turns() const { return turns_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Opaque text for load(); empty when there is nothing to remember.
  [[nodiscard]] std::string save() const;
  /// Replaces the history, within the limits. Fails with `invalid` on a text that save() has not written.
  Result<> load(std::string_view state);

 private:
  struct Turn {
    std::string question;
    std::string answer;
    [[nodiscard]] std::size_t bytes() const { return question.size() + answer.size(); }
  };

  HistoryLimits limits_;
  std::deque<Turn> turns_;
  std::size_t bytes_ = 0;
};

}  // namespace parley::kinds
