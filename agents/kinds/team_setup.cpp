#include "agents/kinds/team_setup.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "agents/kinds/team_conditions.hpp"
#include "agents/kinds/team_manager.hpp"
#include "libmsg/core/nearest.hpp"
#include "libmsg/runtime/messenger.hpp"

namespace parley::kinds {

using config::ConfigReader;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kMaxMembers = 64;
constexpr milliseconds kLongestTurn{24 * 3600 * 1000};

/// `@capability`, `type` or `type/key`.
bool is_target(const std::string& text) { return Target::parse(text).has_value(); }

/// `critic` of `critic`, `critic/fixed` and `@critic`: what a member is called that says nothing else.
std::string name_of_target(std::string_view target) {
  if (target.starts_with('@')) target.remove_prefix(1);
  return std::string(target.substr(0, target.find('/')));
}

teams::FailurePolicy read_failure_policy(ConfigReader& owner, std::string_view key, teams::FailurePolicy fallback) {
  std::optional<ConfigReader> reader = owner.child(key);
  if (!reader) return fallback;
  constexpr std::array<std::string_view, 3> kThen{"abort", "skip", "replace"};
  teams::FailurePolicy policy;
  policy.retries = static_cast<std::uint32_t>(reader->integer("retries", policy.retries, {0, 20}));
  policy.backoff = reader->duration("backoff", policy.backoff, {milliseconds(0), teams::FailurePolicy::kMaxBackoff});
  policy.then = static_cast<teams::FailurePolicy::Then>(reader->choice("then", kThen, 0));
  policy.replacement = reader->text("replacement");
  const bool is_replaced = policy.then == teams::FailurePolicy::Then::replace;
  if (is_replaced != !policy.replacement.empty()) {
    reader->reject("replacement", "expected an agent type exactly when 'then' is replace");
  } else if (is_replaced && !is_target(policy.replacement)) {
    reader->reject("replacement", "expected an agent type, TYPE/KEY or @capability");
  }
  reader->reject_unknown_keys();
  return policy;
}

bool is_member_name(std::string_view name) { return is_valid_agent_type(name) && name != teams::kUserName; }

void add_member(ConfigReader& owner, std::string_view key, TeamSetup& setup, teams::TeamMember member,
                MemberContact contact) {
  const std::string& name = member.seat.name;
  const auto is_same = [&name](const teams::TeamMember& other) { return other.seat.name == name; };
  if (!is_member_name(name)) {
    owner.reject(key, "'" + name + "': expected a name of letters, digits and _ . -, and not 'user'");
  } else if (std::ranges::any_of(setup.plan.members, is_same)) {
    owner.reject(key, "'" + name + "': expected each member once (give a second one another 'name')");
  } else if (setup.plan.members.size() >= kMaxMembers) {
    owner.reject(key, "expected at most " + std::to_string(kMaxMembers) + " members");
  }
  setup.plan.members.push_back(std::move(member));
  setup.contacts.push_back(std::move(contact));
}

/// A member as a map. Its failure policy falls back to the team's, which is read before.
void add_member_map(ConfigReader& reader, TeamSetup& setup, const MemberContact& defaults) {
  teams::TeamMember member;
  MemberContact contact = defaults;
  member.seat.name = reader.text("name", reader.has("agent") ? name_of_target(reader.text("agent")) : std::string());
  contact.target = reader.text("agent", member.seat.name);
  if (!contact.target.empty() && !is_target(contact.target)) {
    reader.reject("agent", "expected an agent type, TYPE/KEY or @capability");
  }
  member.seat.description = reader.text("description");
  member.visible_to = reader.texts("visible_to");
  contact.timeout = reader.duration("timeout", defaults.timeout, {milliseconds(1), kLongestTurn});
  contact.failure = read_failure_policy(reader, "on_failure", defaults.failure);
  add_member(reader, "name", setup, std::move(member), std::move(contact));
  reader.reject_unknown_keys();
}

void add_member_entry(ConfigReader& owner, std::string_view key, config::TextOrReader& entry, TeamSetup& setup,
                      const MemberContact& defaults) {
  if (entry.map) {
    add_member_map(*entry.map, setup, defaults);
    return;
  }
  MemberContact contact = defaults;
  contact.target = entry.text;
  add_member(owner, key, setup, {{name_of_target(entry.text), {}}, {}}, std::move(contact));
}

void note_used_agents(const TeamSetup& setup, KindNames& names) {
  for (const MemberContact& contact : setup.contacts) {
    names.used_agents.push_back(contact.target.substr(0, contact.target.find('/')));
  }
}

std::vector<std::string> member_names(const TeamSetup& setup) {
  std::vector<std::string> names;
  names.reserve(setup.plan.members.size());
  for (const teams::TeamMember& member : setup.plan.members) names.push_back(member.seat.name);
  return names;
}

teams::TeamLimits read_team_limits(ConfigReader& settings, teams::TeamLimits limits) {
  std::optional<ConfigReader> reader = settings.child("limits");
  if (!reader) return limits;
  constexpr double kMaxDollars = 1e6;
  limits.max_rounds = reader->integer("max_rounds", limits.max_rounds, {1, 10'000});
  limits.max_tokens = reader->integer("max_tokens", limits.max_tokens, {1, 1'000'000'000'000});
  if (reader->has("max_cost_usd")) {
    limits.max_cost_nano_usd = static_cast<std::uint64_t>(reader->number("max_cost_usd", 1, {1e-9, kMaxDollars}) * 1e9);
  }
  limits.max_time = reader->duration("max_time", limits.max_time, {milliseconds(1), kLongestTurn});
  reader->reject_unknown_keys();
  return limits;
}

bool looks_at_money(const teams::Condition& condition) {
  return condition.kind == teams::Condition::Kind::money ||
         std::ranges::any_of(condition.children, [](const teams::Condition& each) { return looks_at_money(each); });
}

void read_team_repetition(ConfigReader& settings, teams::TeamPlan& plan) {
  if (settings.is_text("repetition")) {
    if (!settings.flag("repetition", true)) plan.repetition.reset();
    return;
  }
  std::optional<ConfigReader> reader = settings.child("repetition");
  if (!reader) return;
  teams::RepetitionOptions options;
  options.similarity = reader->number("similarity", options.similarity, {0.1, 1});
  options.times = reader->integer("times", options.times, {2, 20});
  options.max_period = reader->integer("max_period", options.max_period, {1, 20});
  plan.repetition = options;
  reader->reject_unknown_keys();
}

void check_visibility(ConfigReader& settings, const TeamSetup& setup) {
  for (const teams::TeamMember& member : setup.plan.members) {
    for (const std::string& name : member.visible_to) {
      (void)seat_of(settings, "participants", name, setup);
    }
  }
}

}  // namespace

MemberContact read_contact_defaults(ConfigReader& settings) {
  MemberContact defaults;
  defaults.timeout = settings.duration("turn_timeout", defaults.timeout, {milliseconds(1), kLongestTurn});
  defaults.failure = read_failure_policy(settings, "on_failure", defaults.failure);
  return defaults;
}

void read_participants(ConfigReader& settings, KindNames& names, TeamSetup& setup, std::size_t min_members) {
  const MemberContact defaults = read_contact_defaults(settings);
  std::vector<config::TextOrReader> entries = settings.items("participants");
  for (config::TextOrReader& entry : entries) add_member_entry(settings, "participants", entry, setup, defaults);
  if (entries.size() < min_members) {
    settings.reject("participants", "expected a list of at least " + std::to_string(min_members) + " members");
  }
  note_used_agents(setup, names);
}

bool read_member(ConfigReader& settings, std::string_view key, KindNames& names, TeamSetup& setup,
                 const MemberContact& defaults) {
  if (settings.is_text(key)) {
    config::TextOrReader entry{settings.required_text(key), std::nullopt};
    add_member_entry(settings, key, entry, setup, defaults);
  } else if (std::optional<ConfigReader> map = settings.child(key)) {
    add_member_map(*map, setup, defaults);
  } else {
    return false;
  }
  names.used_agents.push_back(setup.contacts.back().target.substr(0, setup.contacts.back().target.find('/')));
  return true;
}

void read_team_settings(ConfigReader& settings, KindNames& names, TeamSetup& setup) {
  teams::TeamPlan& plan = setup.plan;
  plan.limits = read_team_limits(settings, plan.limits);
  const std::vector<std::string> members = member_names(setup);
  std::optional<teams::Condition> own = read_conditions(settings, "termination", members);
  if (own) plan.termination = std::move(own);
  names.has_money_limit = plan.limits.max_cost_nano_usd > 0 || (plan.termination && looks_at_money(*plan.termination));
  read_team_repetition(settings, plan);
  if (std::optional<ConfigReader> history = settings.child("history")) {
    plan.history.max_messages = history->integer("max_messages", plan.history.max_messages, {1, 2000});
    plan.history.max_bytes = history->integer("max_bytes", plan.history.max_bytes, {256, 4'194'304});
    history->reject_unknown_keys();
  }
  plan.has_private_messages = settings.flag("private_messages", false);
  plan.keeps_thread = settings.flag("keep_thread", true);
  plan.answer_by = settings.text("answer_by");
  if (!plan.answer_by.empty()) (void)seat_of(settings, "answer_by", plan.answer_by, setup);
  check_visibility(settings, setup);
  setup.answer_topic = settings.text("answer_topic");
  if (!setup.answer_topic.empty() && !is_valid_topic_type(setup.answer_topic)) {
    settings.reject("answer_topic", "expected a topic type: letters, digits and _ . - : =");
  }
}

Adviser read_adviser(ConfigReader& settings, std::string_view agent_key, KindNames& names) {
  Adviser adviser;
  adviser.agent = settings.text(agent_key);
  if (adviser.agent.empty()) {
    adviser.model = read_model_name(settings, names);
  } else if (settings.has("model")) {
    settings.reject("model", "expected either a model or '" + std::string(agent_key) + "', not both");
  } else if (!is_target(adviser.agent)) {
    settings.reject(agent_key, "expected an agent type, TYPE/KEY or @capability");
  }
  if (!adviser.agent.empty()) names.used_agents.push_back(adviser.agent.substr(0, adviser.agent.find('/')));
  return adviser;
}

std::optional<std::size_t> seat_of(ConfigReader& settings, std::string_view key, std::string_view name,
                                   const TeamSetup& setup) {
  const std::vector<std::string> names = member_names(setup);
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const std::vector<std::string> nearest = nearest_names(std::string(name), names, 1);
  settings.reject(key, "'" + std::string(name) + "': expected the name of a member" +
                           (nearest.empty() ? std::string() : " (did you mean '" + nearest.front() + "'?)"));
  return std::nullopt;
}

std::map<std::size_t, std::vector<std::size_t>> read_relations(ConfigReader& settings, std::string_view key,
                                                               const TeamSetup& setup) {
  std::map<std::size_t, std::vector<std::size_t>> relations;
  std::optional<ConfigReader> reader = settings.child(key);
  if (!reader) return relations;
  for (std::size_t seat = 0; seat < setup.plan.members.size(); ++seat) {
    const std::string& name = setup.plan.members[seat].seat.name;
    if (!reader->has(name)) continue;
    std::vector<std::size_t>& others = relations[seat];
    for (const std::string& other : reader->texts(name)) {
      if (const auto found = seat_of(*reader, name, other, setup)) others.push_back(*found);
    }
    if (others.empty()) reader->reject(name, "expected at least one member");
  }
  reader->reject_unknown_keys();
  return relations;
}

MakeFactory make_team_factory(TeamSetup setup) {
  auto shared = std::make_shared<TeamSetup>(std::move(setup));
  return [shared](const KindServices& services) -> AgentFactory {
    std::shared_ptr<llm::ChatModel> model;
    if (shared->adviser && shared->adviser->agent.empty()) model = services.model(shared->adviser->model);
    auto observer = services.conversations;
    if (observer == nullptr) observer = std::make_shared<teams::ConversationObserver>();
    return [shared, model, observer](const AgentId& id) -> std::unique_ptr<Agent> {
      return std::make_unique<TeamManager>(shared, model, observer, id);
    };
  };
}

}  // namespace parley::kinds
