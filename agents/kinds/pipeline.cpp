// kind: pipeline. Members work on the task one after the other, or all at once with their answers put together.
#include <algorithm>
#include <array>
#include <utility>

#include "agents/kinds/kinds.hpp"
#include "agents/kinds/team_setup.hpp"
#include "agents/teams/rotation.hpp"

namespace parley::kinds {

using config::ConfigReader;

namespace {

/// `instructions: {name: text}`, by seat.
std::vector<std::string> read_instructions(ConfigReader& settings, const TeamSetup& setup) {
  std::vector<std::string> instructions(setup.plan.members.size());
  for (auto& [name, text] : settings.text_map("instructions")) {
    if (const auto seat = seat_of(settings, "instructions", name, setup)) instructions[*seat] = std::move(text);
  }
  return instructions;
}

void read_parallel(ConfigReader& settings, KindNames& names, TeamSetup& setup) {
  constexpr std::array<std::string_view, 2> kHow{"concat", "vote"};
  teams::BroadcastOptions options;
  if (settings.has("aggregator")) {
    options.aggregator = setup.plan.members.size();
    options.aggregate = teams::Aggregation::How::agent;
    (void)read_member(settings, "aggregator", names, setup,
                      setup.contacts.empty()
                          ? MemberContact()
                          : MemberContact{{}, setup.contacts.front().timeout, setup.contacts.front().failure});
    if (settings.has("aggregate")) settings.reject("aggregate", "expected either 'aggregate' or 'aggregator'");
  } else {
    options.aggregate = static_cast<teams::Aggregation::How>(settings.choice("aggregate", kHow, 0));
  }
  options.instructions = read_instructions(settings, setup);
  setup.plan.make_strategy = [options = std::move(options)] { return std::make_unique<teams::Broadcast>(options); };
}

MakeFactory read_pipeline(ConfigReader& settings, KindNames& names) {
  constexpr std::array<std::string_view, 2> kModes{"sequential", "parallel"};
  TeamSetup setup;
  const std::size_t mode = settings.choice("mode", kModes, 0);
  setup.plan.strategy = std::string(kModes.at(mode));
  setup.plan.repetition.reset();  // nobody speaks twice
  read_participants(settings, names, setup, mode == 0 ? 1 : 2);
  if (mode == 1) {
    read_parallel(settings, names, setup);
  } else {
    setup.plan.make_strategy = [instructions = read_instructions(settings, setup)] {
      return std::make_unique<teams::Sequence>(instructions);
    };
  }
  setup.plan.limits.max_rounds = std::max<std::uint64_t>(setup.plan.limits.max_rounds, setup.plan.members.size());
  read_team_settings(settings, names, setup);
  return make_team_factory(std::move(setup));
}

}  // namespace

const Kind kPipelineKind{"pipeline", "passes a task from agent to agent, or to all at once", &read_pipeline, true};

}  // namespace parley::kinds
