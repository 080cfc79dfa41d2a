#include "agents/kinds/team_conditions.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agents/teams/thread.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/core/nearest.hpp"

namespace parley::kinds {

using config::ConfigReader;
using teams::Condition;
using ConditionKind = teams::Condition::Kind;
using std::chrono::milliseconds;

namespace {

constexpr int kMaxConditionDepth = 8;

struct NamedCondition {
  std::string_view key;
  ConditionKind kind;
};
constexpr std::array<NamedCondition, 14> kConditions{{{"any", ConditionKind::any},
                                                      {"all", ConditionKind::all},
                                                      {"messages", ConditionKind::messages},
                                                      {"text", ConditionKind::text},
                                                      {"source", ConditionKind::source},
                                                      {"tool_call", ConditionKind::tool_call},
                                                      {"handoff", ConditionKind::handoff},
                                                      {"tokens", ConditionKind::tokens},
                                                      {"input_tokens", ConditionKind::input_tokens},
                                                      {"output_tokens", ConditionKind::output_tokens},
                                                      {"cost_usd", ConditionKind::money},
                                                      {"time", ConditionKind::time},
                                                      {"external", ConditionKind::external},
                                                      {"agent", ConditionKind::agent}}};

void check_condition_members(ConfigReader& reader, std::string_view key, const std::vector<std::string>& wanted,
                             std::span<const std::string> members) {
  const std::vector<std::string> known(members.begin(), members.end());
  for (const std::string& name : wanted) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::vector<std::string> nearest = nearest_names(name, known, 1);
    reader.reject(key, "'" + name + "': expected the name of a member" +
                           (nearest.empty() ? std::string() : " (did you mean '" + nearest.front() + "'?)"));
  }
}

std::vector<Condition> read_condition_list(ConfigReader& settings, std::string_view key,
                                           std::span<const std::string> members, int depth);

Condition read_condition(ConfigReader& reader, const NamedCondition& named, std::span<const std::string> members,
                         int depth) {
  Condition condition;
  condition.kind = named.kind;
  switch (named.kind) {
    case ConditionKind::any:
    case ConditionKind::all:
      condition.children = read_condition_list(reader, named.key, members, depth + 1);
      break;
    case ConditionKind::messages:
    case ConditionKind::tokens:
    case ConditionKind::input_tokens:
    case ConditionKind::output_tokens:
      condition.limit = reader.integer(named.key, 1, {1, 1'000'000'000'000});
      break;
    case ConditionKind::money:
      condition.limit = static_cast<std::uint64_t>(reader.number(named.key, 1, {1e-9, 1e6}) * 1e9);
      break;
    case ConditionKind::time:
      condition.time = reader.duration(named.key, milliseconds(60'000), {milliseconds(1), milliseconds(86'400'000)});
      break;
    case ConditionKind::source:
      condition.by = reader.texts(named.key);
      check_condition_members(reader, named.key, condition.by, members);
      break;
    case ConditionKind::external:
      if (!reader.flag(named.key, true)) reader.reject(named.key, "expected true");
      break;
    case ConditionKind::text:
      condition.by = reader.texts("by");
      check_condition_members(reader, "by", condition.by, members);
      condition.value = reader.required_text(named.key);
      break;
    case ConditionKind::tool_call:
    case ConditionKind::handoff:
      condition.value = reader.required_text(named.key);
      break;
    case ConditionKind::agent:
      condition.value = reader.required_text(named.key);
      if (!condition.value.empty() && !is_valid_agent_type(condition.value)) {
        reader.reject(named.key, "expected an agent type");
      }
      break;
  }
  return condition;
}

std::optional<Condition> read_condition_entry(ConfigReader& reader, std::span<const std::string> members, int depth) {
  std::vector<const NamedCondition*> found;
  for (const NamedCondition& named : kConditions) {
    if (reader.has(named.key)) found.push_back(&named);
  }
  if (found.size() != 1) {
    std::string expected = "expected exactly one of";
    for (const NamedCondition& named : kConditions)
      expected += (&named == kConditions.data() ? " " : ", ") + std::string(named.key);
    reader.reject(std::move(expected));
    return std::nullopt;
  }
  Condition condition = read_condition(reader, *found.front(), members, depth);
  reader.reject_unknown_keys();
  return condition;
}

std::vector<Condition> read_condition_list(ConfigReader& settings, std::string_view key,
                                           std::span<const std::string> members, int depth) {
  std::vector<Condition> conditions;
  if (depth > kMaxConditionDepth) {
    settings.reject(key, "expected conditions at most " + std::to_string(kMaxConditionDepth) + " deep");
    return conditions;
  }
  for (ConfigReader& entry : settings.children(key)) {
    std::optional<Condition> condition = read_condition_entry(entry, members, depth);
    if (condition) conditions.push_back(std::move(*condition));
  }
  if (conditions.empty()) settings.reject(key, "expected a list with at least one condition");
  return conditions;
}

}  // namespace

std::optional<Condition> read_conditions(ConfigReader& settings, std::string_view key,
                                         std::span<const std::string> members) {
  if (!settings.has(key)) return std::nullopt;
  Condition root;
  root.kind = ConditionKind::any;
  root.children = read_condition_list(settings, key, members, 0);
  return root;
}

}  // namespace parley::kinds
