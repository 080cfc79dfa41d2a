#include "agents/teams/swarm.hpp"

#include <algorithm>
#include <utility>

#include "agents/teams/saved_text.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::teams {

namespace {

struct SavedSwarm {
  std::uint64_t current = 0;
  PARLEY_FIELDS(current)
};

}  // namespace

std::vector<std::string> Swarm::targets_of(std::size_t seat, const Scene& scene) const {
  std::vector<std::string> names;
  const auto restricted = options_.targets.find(seat);
  for (std::size_t i = 0; i < scene.seats.size(); ++i) {
    const bool is_allowed = restricted == options_.targets.end()
                                ? i != seat
                                : std::ranges::find(restricted->second, i) != restricted->second.end();
    if (is_allowed) names.push_back(scene.seats[i].name);
  }
  names.emplace_back(kUserName);
  return names;
}

void Swarm::begin(const Scene& /*scene*/) {
  finished_.reset();
  reason_.clear();
}

Step Swarm::next(const Scene& scene) {
  if (finished_) return Finish{*finished_};
  return Speak{{Turn{.member = current_ % scene.seats.size(),
                     .handoffs = targets_of(current_ % scene.seats.size(), scene),
                     .reason = reason_}}};
}

void Swarm::heard(const std::vector<Outcome>& outcomes, const Scene& scene) {
  const Outcome& outcome = outcomes.front();
  const std::string& speaker = scene.seats[outcome.member].name;
  const std::string& target = outcome.answer.handoff;
  if (target == kUserName) {
    finished_ = "handoff:" + std::string(kUserName);
  } else if (!target.empty()) {
    // Team has checked that it is one of the turn's handoffs.
    const auto seat = std::ranges::find(scene.seats, target, &Seat::name);
    if (seat != scene.seats.end()) current_ = static_cast<std::size_t>(seat - scene.seats.begin());
    reason_ = "handed over by " + speaker;
  } else if (outcome.is_skipped) {
    finished_ = "skipped:" + speaker;
  } else if (!options_.goes_on_without_handoff) {
    finished_ = "answered:" + speaker;
  } else {
    reason_.clear();
  }
}

std::string Swarm::save() const { return to_text(SavedSwarm{current_}); }

Result<> Swarm::load(std::string_view state) {
  const Result<SavedSwarm> saved = from_text<SavedSwarm>(state);
  if (!saved) return fail(saved.error());
  current_ = static_cast<std::size_t>(saved->current);
  return {};
}

}  // namespace parley::teams
