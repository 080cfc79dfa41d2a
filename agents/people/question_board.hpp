// The questions to people that are open in this process, and the answers that have just been given. The desk's
// activations (one for each question, and `default`) share one board. Pure: takes events and `now`. Loop thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/messages/questions.hpp"

namespace parley::people {

struct BoardLimits {
  std::size_t max_open = 500;
  std::size_t max_text_bytes = std::size_t{16} * 1024;  ///< of a question, of a default, of an answer
  std::size_t max_choices = 20;
  std::size_t max_choice_bytes = 200;
  /// Of a question's text in the list of all; the list of one question gives all of it.
  std::size_t max_listed_bytes = 2048;
  std::chrono::milliseconds max_wait{std::chrono::hours(24 * 7)};
  /// How long an answer is kept for whoever asks again because the reply was lost.
  std::chrono::milliseconds remember{std::chrono::minutes(10)};
  std::size_t max_remembered = 1000;
};

struct BoardGauges {
  std::size_t waiting = 0;
  Duration oldest{};  ///< age of the question that waits longest
};

class QuestionBoard {
 public:
  explicit QuestionBoard(BoardLimits limits = {}) : limits_(limits) {}
  void set_max_open(std::size_t max_open) { limits_.max_open = max_open; }

  /// Puts up a question; `on_answer` is called from answer(). A question that was answered already (the reply was lost)
  /// is not put up: answer_of() has its answer. Fails with `invalid` (a bad field, or another question under this id)
  /// and with `overloaded`.
  Result<> open(const std::string& id, const messages::Ask& question, TimePoint now, std::function<void()> on_answer);
  /// Nobody waits for it any more.
  void close(const std::string& id);
  /// A person answers. Fails with `invalid`: no such question, answered already, or not one of its choices.
  Result<> answer(const messages::AnswerQuestion& answer, TimePoint now);
  [[nodiscard]] std::optional<messages::Answered> answer_of(const std::string& id) const;

  [[nodiscard]] messages::Questions list(const messages::QuestionList& wanted, TimePoint now) const;
  [[nodiscard]] BoardGauges gauges(TimePoint now) const;

 private:
  struct Open {
    messages::Ask question;
    TimePoint since;
    std::function<void()> on_answer;
  };
  struct Remembered {
    messages::Ask question;
    messages::Answered answer;
    TimePoint at;
  };

  [[nodiscard]] Result<> check(const std::string& id, const messages::Ask& question) const;
  [[nodiscard]] messages::PendingQuestion describe(const std::string& id, const Open& open, TimePoint now,
                                                   std::size_t max_bytes) const;
  void forget_old(TimePoint now);

  BoardLimits limits_;
  std::map<std::string, Open> open_;
  std::map<std::string, Remembered> answered_;
};

}  // namespace parley::people
