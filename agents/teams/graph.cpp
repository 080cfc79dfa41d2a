#include "agents/teams/graph.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "agents/teams/name_choice.hpp"
#include "agents/teams/termination.hpp"

namespace parley::teams {

namespace {

using When = GraphEdge::When;

bool is_found_in_a_line(const Pattern& pattern, std::string_view text) {
  for (;;) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (pattern.is_found_in(line)) return true;
    if (line.size() == text.size()) return false;
    text.remove_prefix(line.size() + 1);
  }
}

bool is_condition_met(const Graph& graph, const GraphEdge& edge, const messages::Answer& answer) {
  switch (edge.when) {
    case When::contains:
      return says(answer.text, edge.value);
    case When::regex:
      return edge.pattern && is_found_in_a_line(*edge.pattern, answer.text);
    case When::handoff:
      return answer.handoff == graph.nodes[edge.to].name;
    case When::always:
    case When::otherwise:
      break;
  }
  return false;
}

/// Which nodes can be reached from `starts` over edges that `may_use` allows.
std::vector<bool> reachable(const Graph& graph, const std::vector<std::size_t>& starts,
                            const std::function<bool(const GraphEdge&)>& may_use) {
  std::vector<bool> found(graph.nodes.size(), false);
  std::vector<std::size_t> open = starts;
  for (const std::size_t start : starts) found[start] = true;
  while (!open.empty()) {
    const std::size_t node = open.back();
    open.pop_back();
    for (const GraphEdge& edge : graph.edges) {
      if (edge.from != node || found[edge.to] || !may_use(edge)) continue;
      found[edge.to] = true;
      open.push_back(edge.to);
    }
  }
  return found;
}

bool is_any(const GraphEdge& /*edge*/) { return true; }

/// Nodes on one loop with `node` over the allowed edges, itself included; empty when it is on none.
std::vector<std::size_t> loop_of(const Graph& graph, std::size_t node,
                                 const std::function<bool(const GraphEdge&)>& may_use) {
  std::vector<std::size_t> successors;
  for (const GraphEdge& edge : graph.edges) {
    if (edge.from == node && may_use(edge)) successors.push_back(edge.to);
  }
  const std::vector<bool> from_here = reachable(graph, successors, may_use);
  std::vector<std::size_t> loop;
  if (!from_here[node]) return loop;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (from_here[i] && reachable(graph, {i}, may_use)[node]) loop.push_back(i);
  }
  return loop;
}

std::string names_of(const Graph& graph, const std::vector<std::size_t>& nodes) {
  std::vector<std::string> names;
  names.reserve(nodes.size());
  for (const std::size_t node : nodes) names.push_back(graph.nodes[node].name);
  return listed(names);
}

/// No edge leads out of the loop, and every node of it always goes on.
bool is_without_exit(const Graph& graph, const std::vector<std::size_t>& loop) {
  const auto is_inside = [&loop](std::size_t node) { return std::ranges::find(loop, node) != loop.end(); };
  return std::ranges::all_of(loop, [&](std::size_t node) {
    bool goes_on = false;
    for (const GraphEdge& edge : graph.edges) {
      if (edge.from != node) continue;
      if (!is_inside(edge.to)) return false;
      goes_on = goes_on || edge.when == When::always || edge.when == When::otherwise;
    }
    return goes_on;
  });
}

void find_loops(const Graph& graph, std::vector<std::string>& problems) {
  const auto is_always = [](const GraphEdge& edge) { return edge.when == When::always; };
  std::vector<bool> told(graph.nodes.size(), false);
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    if (told[node]) continue;
    std::vector<std::size_t> loop = loop_of(graph, node, is_always);
    if (!loop.empty()) {
      problems.push_back("the loop of " + names_of(graph, loop) + " never ends: give one of its edges a condition");
    } else {
      loop = loop_of(graph, node, is_any);
      if (loop.empty() || !is_without_exit(graph, loop)) continue;
      problems.push_back("the loop of " + names_of(graph, loop) +
                         " has no exit: every node of it always goes on to another of it");
    }
    for (const std::size_t each : loop) told[each] = true;
  }
}

}  // namespace

std::vector<std::size_t> natural_starts(const Graph& graph) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (std::ranges::find(graph.edges, i, &GraphEdge::to) == graph.edges.end()) starts.push_back(i);
  }
  return starts;
}

std::vector<std::string> problems_of(const Graph& graph) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < graph.edges.size(); ++i) {
    const GraphEdge& edge = graph.edges[i];
    const auto is_same = [&edge](const GraphEdge& other) {
      return other.from == edge.from && other.to == edge.to && other.when == edge.when && other.value == edge.value;
    };
    if (std::any_of(graph.edges.begin(), graph.edges.begin() + static_cast<std::ptrdiff_t>(i), is_same)) {
      problems.push_back("the edge from '" + graph.nodes[edge.from].name + "' to '" + graph.nodes[edge.to].name +
                         "' is there twice");
    }
  }
  if (graph.starts.empty()) {
    problems.emplace_back("every node has an edge that leads to it: say with 'start' where to begin");
    return problems;
  }
  const std::vector<bool> found = reachable(graph, graph.starts, is_any);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!found[i]) problems.push_back("'" + graph.nodes[i].name + "' cannot be reached from the start");
  }
  find_loops(graph, problems);
  return problems;
}

std::vector<std::size_t> taken_edges(const Graph& graph, std::size_t node, const messages::Answer& answer) {
  std::vector<std::size_t> taken;
  std::vector<std::size_t> otherwise;
  bool is_condition_taken = false;
  for (std::size_t i = 0; i < graph.edges.size(); ++i) {
    const GraphEdge& edge = graph.edges[i];
    if (edge.from != node) continue;
    if (edge.when == When::always) {
      taken.push_back(i);
    } else if (edge.when == When::otherwise) {
      otherwise.push_back(i);
    } else if (is_condition_met(graph, edge, answer)) {
      taken.push_back(i);
      is_condition_taken = true;
    }
  }
  if (!is_condition_taken) taken.insert(taken.end(), otherwise.begin(), otherwise.end());
  return taken;
}

}  // namespace parley::teams
