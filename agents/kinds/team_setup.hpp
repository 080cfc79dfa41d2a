// What the kinds of teams have in common: how a manager reaches its members, and how their settings are read. Each kind
// (group_chat, two_agent_chat, reflection, pipeline, hierarchical) adds its strategy. Values; any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/kinds/kind.hpp"
#include "agents/teams/failure_policy.hpp"
#include "agents/teams/team.hpp"
#include "services/config/reader.hpp"

namespace parley::kinds {

/// How a member is reached.
struct MemberContact {
  /// Agent type or `@capability` (the key is the conversation's), or `type/key`.
  std::string target;
  std::chrono::milliseconds timeout{120'000};
  teams::FailurePolicy failure = {};
};

/// Who is asked when a strategy wants advice: a model or an agent.
struct Adviser {
  std::string model;  ///< name in the configuration
  std::string agent;  ///< target; used if it is not empty
};

struct TeamSetup {
  teams::TeamPlan plan;
  std::vector<MemberContact> contacts;  ///< by seat
  std::optional<Adviser> adviser = std::nullopt;
  /// Where answers to events and one-way messages go; empty: they are refused.
  std::string answer_topic = {};
};

/// Reads `turn_timeout` and `on_failure`: what goes for members that say nothing else. Once for each team.
[[nodiscard]] MemberContact read_contact_defaults(config::ConfigReader& settings);
/// Reads `participants` (names or maps). Notes a problem unless there are at least `min_members`.
void read_participants(config::ConfigReader& settings, KindNames& names, TeamSetup& setup, std::size_t min_members);
/// Reads one member under a key of its own, as text or map (`writer: poet`); false if the key is not there.
bool read_member(config::ConfigReader& settings, std::string_view key, KindNames& names, TeamSetup& setup,
                 const MemberContact& defaults);
/// Reads what every team has: limits, conditions, history, … Call it after the members have been read.
void read_team_settings(config::ConfigReader& settings, KindNames& names, TeamSetup& setup);
/// Reads `model` or `KEY: {agent: TARGET}`: who gives advice.
Adviser read_adviser(config::ConfigReader& settings, std::string_view agent_key, KindNames& names);

/// Seat of a member's name; notes a problem with `key` when there is none.
std::optional<std::size_t> seat_of(config::ConfigReader& settings, std::string_view key, std::string_view name,
                                   const TeamSetup& setup);
/// Reads `KEY: {name: [names]}`: for some members a list of others.
std::map<std::size_t, std::vector<std::size_t>> read_relations(config::ConfigReader& settings, std::string_view key,
                                                               const TeamSetup& setup);

/// The factory of managers for a setup that was read without problems.
[[nodiscard]] MakeFactory make_team_factory(TeamSetup setup);

}  // namespace parley::kinds
