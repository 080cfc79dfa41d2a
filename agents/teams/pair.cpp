#include "agents/teams/pair.hpp"

#include <utility>

#include "agents/teams/saved_text.hpp"
#include "agents/teams/termination.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::teams {

namespace {

constexpr std::string_view kTask = "{{task}}";

struct SavedChat {
  std::uint64_t next = 0;
  std::uint64_t first_replies = 0;
  std::uint64_t second_replies = 0;
  PARLEY_FIELDS(next, first_replies, second_replies)
};

struct SavedReflection {
  std::uint64_t versions = 0;
  std::uint64_t reviews = 0;
  bool is_accepted = false;
  PARLEY_FIELDS(versions, reviews, is_accepted)
};

}  // namespace

std::optional<Strategy::Opening> TwoAgentChat::opening(std::string_view task) const {
  if (options_.initiate.empty()) return std::nullopt;
  std::string text = options_.initiate;
  const std::size_t at = text.find(kTask);
  if (at != std::string::npos) text.replace(at, kTask.size(), task);
  return Opening{0, std::move(text)};
}

void TwoAgentChat::begin(const Scene& /*scene*/) {
  next_ = options_.initiate.empty() ? 0 : 1;
  replies_ = {0, 0};
}

Step TwoAgentChat::next(const Scene& scene) {
  if (replies_.at(next_) >= options_.max_auto_replies.at(next_)) {
    return Finish{"max_auto_replies:" + scene.seats[next_].name};
  }
  return Speak{{Turn{.member = next_}}};
}

void TwoAgentChat::heard(const std::vector<Outcome>& /*outcomes*/, const Scene& /*scene*/) {
  ++replies_.at(next_);
  next_ = 1 - next_;
}

std::string TwoAgentChat::save() const { return to_text(SavedChat{next_, replies_[0], replies_[1]}); }

Result<> TwoAgentChat::load(std::string_view state) {
  const Result<SavedChat> saved = from_text<SavedChat>(state);
  if (!saved) return fail(saved.error());
  if (saved->next > 1) return fail(ErrorCode::invalid, "the saved state of a chat is malformed");
  next_ = static_cast<std::size_t>(saved->next);
  replies_ = {saved->first_replies, saved->second_replies};
  return {};
}

std::string Reflection::review_instruction() const {
  if (!options_.review_instruction.empty()) return options_.review_instruction;
  return "Review the latest version against the task. If it is good as it is, answer with the word " + options_.accept +
         ". If not, say exactly what to change, and do not use that word.";
}

std::string Reflection::revise_instruction() const {
  if (!options_.revise_instruction.empty()) return options_.revise_instruction;
  return "Write a new version that takes the review into account. Answer with the whole new version and nothing else.";
}

void Reflection::begin(const Scene& /*scene*/) {
  versions_ = 0;
  reviews_ = 0;
  is_accepted_ = false;
}

Step Reflection::next(const Scene& scene) {
  if (is_accepted_) return Finish{"accepted:" + scene.seats[1].name};
  const bool is_writers_turn = versions_ == reviews_;
  if (!is_writers_turn) {
    return Speak{{Turn{
        .member = 1, .instruction = review_instruction(), .reason = "reviews version " + std::to_string(versions_)}}};
  }
  if (versions_ > options_.max_revisions) return Finish{"max_revisions:" + std::to_string(options_.max_revisions)};
  Turn turn{.member = 0};
  if (versions_ > 0) turn.instruction = revise_instruction();
  turn.reason = "writes version " + std::to_string(versions_ + 1);
  return Speak{{std::move(turn)}};
}

void Reflection::heard(const std::vector<Outcome>& outcomes, const Scene& /*scene*/) {
  const Outcome& outcome = outcomes.front();
  if (outcome.member == 0) {
    ++versions_;
  } else {
    ++reviews_;
    is_accepted_ = !outcome.is_skipped && says(outcome.answer.text, options_.accept);
  }
}

std::string Reflection::answer(const Scene& scene) const {
  const messages::ThreadMessage* last = scene.thread.last_of(scene.seats[0].name);
  return last == nullptr ? std::string() : last->text;
}

std::string Reflection::save() const { return to_text(SavedReflection{versions_, reviews_, is_accepted_}); }

Result<> Reflection::load(std::string_view state) {
  const Result<SavedReflection> saved = from_text<SavedReflection>(state);
  if (!saved) return fail(saved.error());
  versions_ = saved->versions;
  reviews_ = saved->reviews;
  is_accepted_ = saved->is_accepted;
  return {};
}

}  // namespace parley::teams
