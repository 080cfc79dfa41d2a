// kind: two_agent_chat, two agents that answer each other. kind: reflection, a writer and a reviewer.
#include <utility>

#include "agents/kinds/kinds.hpp"
#include "agents/kinds/team_setup.hpp"
#include "agents/teams/pair.hpp"

namespace parley::kinds {

using config::ConfigReader;

namespace {

MakeFactory read_two_agent_chat(ConfigReader& settings, KindNames& names) {
  TeamSetup setup;
  setup.plan.strategy = "two_agent_chat";
  const MemberContact defaults = read_contact_defaults(settings);
  for (const char* key : {"initiator", "responder"}) {
    if (!read_member(settings, key, names, setup, defaults)) settings.reject(key, "expected a member");
  }
  teams::TwoAgentOptions options;
  options.initiate = settings.text("initiate");
  options.max_auto_replies.fill(settings.integer("max_auto_replies", 10, {1, 1000}));
  setup.plan.limits.max_rounds = 2 * options.max_auto_replies[0];
  setup.plan.make_strategy = [options] { return std::make_unique<teams::TwoAgentChat>(options); };
  read_team_settings(settings, names, setup);
  return make_team_factory(std::move(setup));
}

MakeFactory read_reflection(ConfigReader& settings, KindNames& names) {
  TeamSetup setup;
  setup.plan.strategy = "reflection";
  const MemberContact defaults = read_contact_defaults(settings);
  for (const char* key : {"writer", "reviewer"}) {
    if (!read_member(settings, key, names, setup, defaults)) settings.reject(key, "expected a member");
  }
  teams::ReflectionOptions options;
  options.accept = settings.text("accept", options.accept);
  if (options.accept.empty()) settings.reject("accept", "expected a word");
  options.max_revisions = settings.integer("max_revisions", options.max_revisions, {0, 1000});
  options.review_instruction = settings.text("review_instruction");
  options.revise_instruction = settings.text("revise_instruction");
  setup.plan.limits.max_rounds = 2 * (options.max_revisions + 1);
  setup.plan.make_strategy = [options = std::move(options)] { return std::make_unique<teams::Reflection>(options); };
  read_team_settings(settings, names, setup);
  return make_team_factory(std::move(setup));
}

}  // namespace

const Kind kTwoAgentChatKind{"two_agent_chat", "lets two agents answer each other", &read_two_agent_chat, true};
const Kind kReflectionKind{"reflection", "sends a writer's text to a reviewer and back until it is accepted",
                           &read_reflection, true};

}  // namespace parley::kinds
