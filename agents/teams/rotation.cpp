#include "agents/teams/rotation.hpp"

#include <utility>

#include "agents/teams/saved_text.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::teams {

namespace {

struct SavedPlace {
  std::uint64_t next = 0;
  PARLEY_FIELDS(next)
};

struct SavedBroadcast {
  std::uint64_t round = 0;
  std::vector<std::string> names;
  std::vector<std::string> texts;
  bool is_aggregated = false;
  std::string aggregate;
  PARLEY_FIELDS(round, names, texts, is_aggregated, aggregate)
};

Result<> load_place(std::string_view state, std::size_t& next) {
  const Result<SavedPlace> saved = from_text<SavedPlace>(state);
  if (!saved) return fail(saved.error());
  next = static_cast<std::size_t>(saved->next);
  return {};
}

std::string instruction_of(const std::vector<std::string>& instructions, std::size_t seat) {
  return seat < instructions.size() ? instructions[seat] : std::string();
}

}  // namespace

void RoundRobin::begin(const Scene& /*scene*/) {}

Step RoundRobin::next(const Scene& scene) { return Speak{{Turn{.member = next_ % scene.seats.size()}}}; }

void RoundRobin::heard(const std::vector<Outcome>& /*outcomes*/, const Scene& scene) {
  next_ = (next_ + 1) % scene.seats.size();
}

std::string RoundRobin::save() const { return to_text(SavedPlace{next_}); }
Result<> RoundRobin::load(std::string_view state) { return load_place(state, next_); }

void Sequence::begin(const Scene& /*scene*/) { next_ = 0; }

Step Sequence::next(const Scene& scene) {
  if (next_ >= scene.seats.size()) return Finish{"sequence:done"};
  Turn turn{.member = next_, .instruction = instruction_of(instructions_, next_)};
  turn.reason = "stage " + std::to_string(next_ + 1) + " of " + std::to_string(scene.seats.size());
  return Speak{{std::move(turn)}};
}

void Sequence::heard(const std::vector<Outcome>& /*outcomes*/, const Scene& /*scene*/) { ++next_; }

std::string Sequence::save() const { return to_text(SavedPlace{next_}); }
Result<> Sequence::load(std::string_view state) { return load_place(state, next_); }

void Broadcast::begin(const Scene& /*scene*/) {
  round_ = 0;
  voices_.clear();
  aggregate_.reset();
}

Step Broadcast::next(const Scene& scene) {
  if (round_ < options_.rounds) {
    Speak all;
    for (std::size_t i = 0; i < scene.seats.size(); ++i) {
      if (is_aggregator(i)) continue;
      all.turns.push_back(Turn{.member = i, .instruction = instruction_of(options_.instructions, i)});
    }
    return all;
  }
  if (options_.aggregator && !aggregate_) {
    Turn turn{.member = *options_.aggregator,
              .instruction = instruction_of(options_.instructions, *options_.aggregator)};
    if (turn.instruction.empty()) {
      turn.instruction = "Put the answers of the others together into one answer to the task.";
    }
    turn.reason = "puts the answers together";
    return Speak{{std::move(turn)}};
  }
  if (options_.aggregate != Aggregation::How::vote) return Finish{"broadcast:done"};
  const VoteResult result = vote(voices_);
  return Finish{"vote:" + std::to_string(result.votes) + " of " + std::to_string(result.voters) +
                (result.is_tie ? ", a tie" : "")};
}

void Broadcast::heard(const std::vector<Outcome>& outcomes, const Scene& scene) {
  if (round_ >= options_.rounds) {
    const Outcome& last = outcomes.front();
    aggregate_ = last.is_skipped || last.is_private ? concatenated(voices_) : last.answer.text;
    return;
  }
  voices_.clear();
  for (const Outcome& outcome : outcomes) {
    if (!outcome.is_skipped && !outcome.is_private)
      voices_.push_back({scene.seats[outcome.member].name, outcome.answer.text});
  }
  ++round_;
}

std::string Broadcast::answer(const Scene& /*scene*/) const {
  if (aggregate_) return *aggregate_;
  return options_.aggregate == Aggregation::How::vote ? vote(voices_).text : concatenated(voices_);
}

std::string Broadcast::save() const {
  SavedBroadcast saved{round_, {}, {}, aggregate_.has_value(), aggregate_.value_or("")};
  for (const Voice& voice : voices_) {
    saved.names.push_back(voice.name);
    saved.texts.push_back(voice.text);
  }
  return to_text(saved);
}

Result<> Broadcast::load(std::string_view state) {
  Result<SavedBroadcast> saved = from_text<SavedBroadcast>(state);
  if (!saved) return fail(saved.error());
  if (saved->names.size() != saved->texts.size()) {
    return fail(ErrorCode::invalid, "the saved state of a broadcast is malformed");
  }
  round_ = static_cast<std::size_t>(saved->round);
  voices_.clear();
  for (std::size_t i = 0; i < saved->names.size(); ++i) {
    voices_.push_back({std::move(saved->names[i]), std::move(saved->texts[i])});
  }
  aggregate_ = saved->is_aggregated ? std::optional(std::move(saved->aggregate)) : std::nullopt;
  return {};
}

}  // namespace parley::teams
