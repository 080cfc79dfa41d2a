// What was said and done in one conversation of agents, for a file: Markdown for people, JSON for programs. Pure; one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"

namespace parley::cli {

class Transcript {
 public:
  /// More entries than these are counted, not kept.
  static constexpr std::size_t kMaxEntries = 100'000;

  Transcript(std::string team, std::string task, WallTime started);

  void part(const messages::TextPart& piece);
  void event(const messages::TeamEvent& event, WallTime at);
  /// How it ended: an answer, or an error (`cancelled` after Ctrl-C). What somebody was saying then is kept as it is.
  void finish(const Result<messages::Answer>& answer, WallTime at);

  [[nodiscard]] std::string markdown() const;
  /// `line`: the whole object in one line.
  enum class Layout : std::uint8_t { pretty, line };
  [[nodiscard]] std::string json(Layout layout = Layout::pretty) const;
  /// Turns that were finished.
  [[nodiscard]] std::size_t turns() const { return turns_; }
  [[nodiscard]] const messages::Usage& usage() const { return usage_; }

 private:
  void keep_unfinished(const std::string& from, WallTime at);

  struct Entry {
    WallTime at;
    messages::TeamEvent event;
    bool is_unfinished = false;
  };

  std::string team_;
  std::string task_;
  WallTime started_;
  WallTime ended_;
  std::vector<Entry> entries_;
  std::size_t left_out_ = 0;
  std::size_t turns_ = 0;
  std::map<std::string, std::string> unfinished_;  ///< text by speaker
  messages::Usage usage_;
  std::optional<Result<messages::Answer>> outcome_;
};

}  // namespace parley::cli
