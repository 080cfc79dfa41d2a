// kind: group_chat. Several members, and a strategy that says who speaks next.
#include <algorithm>
#include <array>
#include <utility>

#include "agents/kinds/kinds.hpp"
#include "agents/kinds/team_setup.hpp"
#include "agents/teams/graph_walk.hpp"
#include "agents/teams/rotation.hpp"
#include "agents/teams/selector.hpp"
#include "agents/teams/swarm.hpp"

namespace parley::kinds {

using config::ConfigReader;
using teams::Graph;
using teams::GraphEdge;

namespace {

void use_round_robin(TeamSetup& setup) {
  setup.plan.make_strategy = [] { return std::make_unique<teams::RoundRobin>(); };
}

void read_selector(ConfigReader& settings, KindNames& names, TeamSetup& setup) {
  teams::SelectorOptions options;
  options.prompt = settings.text("selector_prompt");
  options.may_repeat = settings.flag("allow_repeated_speaker", options.may_repeat);
  options.max_attempts = settings.integer("max_selector_attempts", options.max_attempts, {1, 10});
  const std::string fallback = settings.text("fallback");
  if (!fallback.empty()) options.fallback = seat_of(settings, "fallback", fallback, setup);
  options.followers = read_relations(settings, "next_speakers", setup);
  for (const auto& [seat, followers] : options.followers) {
    if (!options.may_repeat && followers == std::vector<std::size_t>{seat}) {
      settings.reject("next_speakers", "'" + setup.plan.members[seat].seat.name +
                                           "': expected somebody else, since no speaker may repeat");
    }
  }
  setup.adviser = read_adviser(settings, "selector_agent", names);
  setup.plan.make_strategy = [options = std::move(options)] { return std::make_unique<teams::Selector>(options); };
}

void read_swarm(ConfigReader& settings, TeamSetup& setup) {
  constexpr std::array<std::string_view, 2> kWithout{"end", "continue"};
  teams::SwarmOptions options;
  const std::string first = settings.text("first_speaker");
  if (!first.empty()) options.first = seat_of(settings, "first_speaker", first, setup).value_or(0);
  options.targets = read_relations(settings, "handoffs", setup);
  options.goes_on_without_handoff = settings.choice("without_handoff", kWithout, 0) == 1;
  setup.plan.make_strategy = [options = std::move(options)] { return std::make_unique<teams::Swarm>(options); };
}

/// `contains: TEXT`, `regex: EXPRESSION`, `handoff: true`, `otherwise: true`, or none of them.
void read_edge_condition(ConfigReader& reader, GraphEdge& edge) {
  constexpr std::array<std::string_view, 4> kConditions{"contains", "regex", "handoff", "otherwise"};
  const auto there = std::ranges::count_if(kConditions, [&reader](std::string_view key) { return reader.has(key); });
  if (there > 1) reader.reject("expected at most one of contains, regex, handoff, otherwise");
  if (reader.has("contains")) {
    edge.when = GraphEdge::When::contains;
    edge.value = reader.required_text("contains");
  } else if (reader.has("regex")) {
    edge.when = GraphEdge::When::regex;
    const std::string expression = reader.required_text("regex");
    Result<Pattern> compiled = Pattern::make(expression);
    if (compiled) {
      edge.pattern = std::move(*compiled);
    } else {
      reader.reject("regex", "expected a regular expression (RE2): " + compiled.error().message);
    }
  } else if (reader.flag("handoff", false)) {
    edge.when = GraphEdge::When::handoff;
  } else if (reader.flag("otherwise", false)) {
    edge.when = GraphEdge::When::otherwise;
  }
}

void read_edges(ConfigReader& settings, const TeamSetup& setup, Graph& graph) {
  for (ConfigReader& reader : settings.children("edges")) {
    GraphEdge edge;
    const auto from = seat_of(reader, "from", reader.required_text("from"), setup);
    read_edge_condition(reader, edge);
    const std::vector<std::string> targets = reader.texts("to");
    if (targets.empty()) reader.reject("to", "expected the name of a member, or several");
    for (const std::string& name : targets) {
      const auto to = seat_of(reader, "to", name, setup);
      if (!from || !to) continue;
      edge.from = *from;
      edge.to = *to;
      graph.edges.push_back(edge);
    }
    reader.reject_unknown_keys();
  }
  if (graph.edges.empty()) settings.reject("edges", "expected a list of edges, each with 'from' and 'to'");
}

void read_graph(ConfigReader& settings, TeamSetup& setup) {
  const auto graph = std::make_shared<Graph>();
  for (const teams::TeamMember& member : setup.plan.members) graph->nodes.push_back({member.seat.name});
  for (const std::string& name : settings.texts("join_all")) {
    if (const auto seat = seat_of(settings, "join_all", name, setup)) {
      graph->nodes[*seat].join = teams::GraphNode::Join::all;
    }
  }
  const std::size_t known = settings.problems().count();
  read_edges(settings, setup, *graph);
  for (const std::string& name : settings.texts("start")) {
    if (const auto seat = seat_of(settings, "start", name, setup)) graph->starts.push_back(*seat);
  }
  if (!settings.has("start")) graph->starts = teams::natural_starts(*graph);
  // What is wrong with the graph as a whole means something only if its parts are right.
  if (settings.problems().count() == known) {
    for (std::string& problem : teams::problems_of(*graph)) settings.reject("edges", std::move(problem));
  }
  setup.plan.make_strategy = [graph] { return std::make_unique<teams::GraphWalk>(graph); };
}

void read_broadcast(ConfigReader& settings, TeamSetup& setup) {
  constexpr std::array<std::string_view, 2> kHow{"concat", "vote"};
  teams::BroadcastOptions options;
  options.rounds = settings.integer("rounds", options.rounds, {1, 100});
  options.aggregate = static_cast<teams::Aggregation::How>(settings.choice("aggregate", kHow, 0));
  setup.plan.limits.max_rounds = std::max<std::uint64_t>(setup.plan.limits.max_rounds, options.rounds);
  setup.plan.make_strategy = [options = std::move(options)] { return std::make_unique<teams::Broadcast>(options); };
}

MakeFactory read_group_chat(ConfigReader& settings, KindNames& names) {
  constexpr std::array<std::string_view, 5> kStrategies{"round_robin", "selector", "swarm", "graph", "broadcast"};
  TeamSetup setup;
  read_participants(settings, names, setup, 2);
  const std::size_t strategy = settings.choice("strategy", kStrategies, 0);
  setup.plan.strategy = std::string(kStrategies.at(strategy));
  switch (strategy) {
    case 1:
      read_selector(settings, names, setup);
      break;
    case 2:
      read_swarm(settings, setup);
      break;
    case 3:
      read_graph(settings, setup);
      break;
    case 4:
      read_broadcast(settings, setup);
      break;
    default:
      use_round_robin(setup);
  }
  read_team_settings(settings, names, setup);
  return make_team_factory(std::move(setup));
}

}  // namespace

const Kind kGroupChatKind{"group_chat", "lets several agents talk: round_robin, selector, swarm, graph or broadcast",
                          &read_group_chat, true};

}  // namespace parley::kinds
