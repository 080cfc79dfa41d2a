// kind: hierarchical. A manager gives parts of a task to specialists and teams until it is done.
#include <utility>

#include "agents/kinds/kinds.hpp"
#include "agents/kinds/team_setup.hpp"
#include "agents/teams/delegation.hpp"

namespace parley::kinds {

namespace {

MakeFactory read_hierarchical(config::ConfigReader& settings, KindNames& names) {
  TeamSetup setup;
  setup.plan.strategy = "hierarchical";
  read_participants(settings, names, setup, 1);
  teams::DelegationOptions options;
  options.prompt = settings.text("manager_prompt");
  options.max_attempts = settings.integer("max_manager_attempts", options.max_attempts, {1, 10});
  options.max_parallel = settings.integer("max_parallel", options.max_parallel, {1, 64});
  setup.adviser = read_adviser(settings, "manager", names);
  setup.plan.make_strategy = [options = std::move(options)] { return std::make_unique<teams::Delegation>(options); };
  read_team_settings(settings, names, setup);
  return make_team_factory(std::move(setup));
}

}  // namespace

const Kind kHierarchicalKind{"hierarchical", "lets a manager give out a task to agents and teams until it is done",
                             &read_hierarchical, true};

}  // namespace parley::kinds
