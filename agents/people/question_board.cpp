#include "agents/people/question_board.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agents/people/plain_text.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::people {

using messages::Answered;
using messages::AnswerQuestion;
using messages::Ask;
using messages::PendingQuestion;
using messages::QuestionList;
using messages::Questions;

namespace {

/// The choice that the text means, as it was offered; case and space around it do not count.
std::optional<std::string> choice_of(const std::vector<std::string>& choices, std::string_view text) {
  const auto found = std::ranges::find_if(choices, [wanted = trimmed(text)](const std::string& choice) {
    return equals_any_case(trimmed(choice), wanted);
  });
  if (found == choices.end()) return std::nullopt;
  return *found;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& text : texts) line += (line.empty() ? "" : ", ") + text;
  return line;
}

/// The same question, whatever time it has left.
bool is_same(const Ask& a, const Ask& b) {
  return a.question == b.question && a.asked_by == b.asked_by && a.kind == b.kind && a.choices == b.choices;
}

std::uint64_t in_ms(Duration duration) {
  if (duration <= Duration::zero()) return 0;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

Result<> QuestionBoard::check(const std::string& id, const Ask& question) const {
  const auto refuse = [&id](std::string_view why) {
    return fail(ErrorCode::invalid, "question '" + id + "': " + std::string(why));
  };
  if (trimmed(question.question).empty()) return refuse("it asks nothing");
  if (question.question.size() > limits_.max_text_bytes || question.default_answer.size() > limits_.max_text_bytes) {
    return refuse("its text or default is longer than " + std::to_string(limits_.max_text_bytes) + " bytes");
  }
  if (question.kind != "input" && question.kind != "approval") return refuse("its kind is not 'input' or 'approval'");
  const auto is_bad = [this](const std::string& choice) {
    return trimmed(choice).empty() || choice.size() > limits_.max_choice_bytes;
  };
  if (question.choices.size() > limits_.max_choices || std::ranges::any_of(question.choices, is_bad)) {
    return refuse("it has more than " + std::to_string(limits_.max_choices) + " choices, or one that is too long");
  }
  if (question.has_default && !question.choices.empty() && !choice_of(question.choices, question.default_answer)) {
    return refuse("its default answer is none of its choices");
  }
  if (question.timeout_ms == 0 || question.timeout_ms > static_cast<std::uint64_t>(limits_.max_wait.count())) {
    return refuse("its timeout_ms is not between 1 and " + std::to_string(limits_.max_wait.count()));
  }
  return {};
}

Result<> QuestionBoard::open(const std::string& id, const Ask& question, TimePoint now,
                             std::function<void()> on_answer) {
  Result<> checked = check(id, question);
  if (!checked) return checked;
  forget_old(now);
  const auto taken = open_.find(id);
  const auto answered = answered_.find(id);
  const bool is_another = (taken != open_.end() && !is_same(taken->second.question, question)) ||
                          (answered != answered_.end() && !is_same(answered->second.question, question));
  if (is_another) return fail(ErrorCode::invalid, "another question has the id '" + id + "'");
  if (answered != answered_.end()) return {};
  if (taken == open_.end() && open_.size() >= limits_.max_open) {
    return fail(ErrorCode::overloaded, std::to_string(open_.size()) + " questions wait for people already");
  }
  open_.insert_or_assign(id, Open{question, now, std::move(on_answer)});
  return {};
}

void QuestionBoard::close(const std::string& id) { open_.erase(id); }

Result<> QuestionBoard::answer(const AnswerQuestion& answer, TimePoint now) {
  forget_old(now);
  const auto found = open_.find(answer.id);
  if (found == open_.end()) {
    const auto before = answered_.find(answer.id);
    if (before == answered_.end()) return fail(ErrorCode::invalid, "no question '" + answer.id + "' waits");
    return fail(ErrorCode::invalid, "question '" + answer.id + "' has been answered by " + before->second.answer.by);
  }
  const Ask& question = found->second.question;
  if (answer.answer.size() > limits_.max_text_bytes) {
    return fail(ErrorCode::invalid, "the answer is longer than " + std::to_string(limits_.max_text_bytes) + " bytes");
  }
  Answered given{answer.answer, answer.by.empty() ? "somebody" : cut_text(answer.by, limits_.max_choice_bytes), false};
  if (!question.choices.empty()) {
    std::optional<std::string> choice = choice_of(question.choices, answer.answer);
    if (!choice) {
      return fail(ErrorCode::invalid, "'" + cut_text(answer.answer, limits_.max_choice_bytes) +
                                          "' is none of the choices: " + joined(question.choices));
    }
    given.answer = std::move(*choice);
  }
  Open open = std::move(found->second);
  open_.erase(found);
  answered_.insert_or_assign(answer.id, Remembered{std::move(open.question), std::move(given), now});
  if (open.on_answer) open.on_answer();
  return {};
}

std::optional<Answered> QuestionBoard::answer_of(const std::string& id) const {
  const auto found = answered_.find(id);
  if (found == answered_.end()) return std::nullopt;
  return found->second.answer;
}

PendingQuestion QuestionBoard::describe(const std::string& id, const Open& open, TimePoint now,
                                        std::size_t max_bytes) const {
  const Ask& question = open.question;
  PendingQuestion pending;
  pending.id = id;
  pending.question = cut_text(question.question, max_bytes);
  pending.asked_by = question.asked_by;
  pending.kind = question.kind;
  pending.choices = question.choices;
  pending.waiting_ms = in_ms(now - open.since);
  pending.remaining_ms = in_ms(open.since + std::chrono::milliseconds(question.timeout_ms) - now);
  pending.has_default = question.has_default;
  pending.default_answer = cut_text(question.default_answer, max_bytes);
  return pending;
}

Questions QuestionBoard::list(const QuestionList& wanted, TimePoint now) const {
  Questions listed;
  if (!wanted.id.empty()) {
    const auto found = open_.find(wanted.id);
    if (found != open_.end()) {
      listed.questions.push_back(describe(found->first, found->second, now, limits_.max_text_bytes));
    }
    return listed;
  }
  for (const auto& [id, open] : open_) listed.questions.push_back(describe(id, open, now, limits_.max_listed_bytes));
  std::ranges::stable_sort(listed.questions, std::ranges::greater{}, &PendingQuestion::waiting_ms);
  return listed;
}

BoardGauges QuestionBoard::gauges(TimePoint now) const {
  BoardGauges gauges;
  gauges.waiting = open_.size();
  for (const auto& [id, open] : open_) gauges.oldest = std::max(gauges.oldest, now - open.since);
  return gauges;
}

void QuestionBoard::forget_old(TimePoint now) {
  std::erase_if(answered_, [&](const auto& entry) { return now - entry.second.at > limits_.remember; });
  while (answered_.size() > limits_.max_remembered) {
    answered_.erase(std::ranges::min_element(answered_, {}, [](const auto& entry) { return entry.second.at; }));
  }
}

}  // namespace parley::people
