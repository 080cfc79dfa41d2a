// A conversation as a graph: nodes are members, edges say who comes after whom and on what condition. Checked as a
// whole when the configuration is read, so that no run finds a node that nothing leads to or a loop that nothing ends.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/text/pattern.hpp"
#include "libmsg/messages/text.hpp"

namespace parley::teams {

struct GraphEdge {
  enum class When : std::uint8_t {
    always,
    contains,   ///< the speaker said `value`, as a word or phrase of its own
    regex,      ///< `pattern` is found in a line of what he said
    handoff,    ///< he handed over to the node that the edge leads to
    otherwise,  ///< no edge with a condition of its own leaves the node this time
  };
  std::size_t from = 0;
  std::size_t to = 0;
  When when = When::always;
  std::string value = {};
  std::optional<Pattern> pattern = std::nullopt;
};

struct GraphNode {
  std::string name;  ///< of the member
  enum class Join : std::uint8_t {
    any,  ///< runs when one of its edges was taken
    all,  ///< runs when each of its edges was taken
  };
  Join join = Join::any;
};

struct Graph {
  std::vector<GraphNode> nodes;  ///< by seat
  std::vector<GraphEdge> edges;
  /// Where it begins; if the configuration does not say: the nodes that no edge leads to.
  std::vector<std::size_t> starts;
};

/// Everything that is wrong with a graph, each in a sentence: no start, nodes that cannot be reached, loops of edges
/// that are always taken, loops that no edge leads out of and in which no node can end, the same edge twice.
[[nodiscard]] std::vector<std::string> problems_of(const Graph& graph);
/// The nodes without edges to them.
[[nodiscard]] std::vector<std::size_t> natural_starts(const Graph& graph);

/// Indices of the edges out of `node` that are taken after it has answered so.
[[nodiscard]] std::vector<std::size_t> taken_edges(const Graph& graph, std::size_t node,
                                                   const messages::Answer& answer);

}  // namespace parley::teams
