#include "agents/teams/graph_walk.hpp"

#include <algorithm>
#include <utility>

#include "agents/teams/aggregation.hpp"
#include "agents/teams/saved_text.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::teams {

namespace {

struct SavedWalk {
  std::vector<std::uint64_t> tokens;
  std::vector<bool> open_starts;
  std::vector<std::string> last_names;
  std::vector<std::string> last_texts;
  PARLEY_FIELDS(tokens, open_starts, last_names, last_texts)
};

}  // namespace

GraphWalk::GraphWalk(std::shared_ptr<const Graph> graph)
    : graph_(std::move(graph)), tokens_(graph_->edges.size(), 0), is_start_open_(graph_->nodes.size(), false) {}

void GraphWalk::begin(const Scene& /*scene*/) {
  std::ranges::fill(tokens_, 0);
  is_start_open_.assign(graph_->nodes.size(), false);
  for (const std::size_t start : graph_->starts) is_start_open_[start] = true;
  last_names_.clear();
  last_texts_.clear();
}

bool GraphWalk::is_ready(std::size_t node) const {
  if (is_start_open_[node]) return true;
  std::size_t incoming = 0;
  std::size_t with_token = 0;
  for (std::size_t i = 0; i < graph_->edges.size(); ++i) {
    if (graph_->edges[i].to != node) continue;
    ++incoming;
    if (tokens_[i] > 0) ++with_token;
  }
  return graph_->nodes[node].join == GraphNode::Join::all ? incoming > 0 && with_token == incoming : with_token > 0;
}

/// A node that waits for all takes one of each; one that waits for any takes them all, for it has seen all messages.
void GraphWalk::take_tokens(std::size_t node) {
  const bool is_first = is_start_open_[node];
  is_start_open_[node] = false;
  for (std::size_t i = 0; i < graph_->edges.size(); ++i) {
    if (graph_->edges[i].to != node || tokens_[i] == 0) continue;
    if (graph_->nodes[node].join == GraphNode::Join::any) {
      tokens_[i] = 0;
    } else if (!is_first) {
      --tokens_[i];
    }
  }
}

std::vector<std::string> GraphWalk::handoffs_of(std::size_t node) const {
  std::vector<std::string> names;
  for (const GraphEdge& edge : graph_->edges) {
    if (edge.from == node && edge.when == GraphEdge::When::handoff) names.push_back(graph_->nodes[edge.to].name);
  }
  return names;
}

Step GraphWalk::next(const Scene& /*scene*/) {
  Speak wave;
  for (std::size_t node = 0; node < graph_->nodes.size(); ++node) {
    if (is_ready(node)) wave.turns.push_back(Turn{.member = node, .handoffs = handoffs_of(node)});
  }
  if (wave.turns.empty()) return Finish{end_reason()};
  return wave;
}

/// Says so when a join has waited in vain.
std::string GraphWalk::end_reason() const {
  for (std::size_t node = 0; node < graph_->nodes.size(); ++node) {
    std::string missing;
    bool has_token = false;
    for (std::size_t i = 0; i < graph_->edges.size(); ++i) {
      if (graph_->edges[i].to != node) continue;
      has_token = has_token || tokens_[i] > 0;
      if (tokens_[i] == 0) missing += (missing.empty() ? "" : ", ") + graph_->nodes[graph_->edges[i].from].name;
    }
    if (has_token) return "graph:" + graph_->nodes[node].name + " still waited for " + missing;
  }
  return "graph:done";
}

void GraphWalk::heard(const std::vector<Outcome>& outcomes, const Scene& scene) {
  for (const Outcome& outcome : outcomes) take_tokens(outcome.member);
  last_names_.clear();
  last_texts_.clear();
  for (const Outcome& outcome : outcomes) {
    // Of a node that was left out only the edges without a condition are taken.
    for (const std::size_t edge : taken_edges(*graph_, outcome.member, outcome.answer)) ++tokens_[edge];
    if (outcome.is_skipped || outcome.is_private) continue;
    last_names_.push_back(scene.seats[outcome.member].name);
    last_texts_.push_back(outcome.answer.text);
  }
}

std::string GraphWalk::answer(const Scene& scene) const {
  if (last_texts_.empty()) return Strategy::answer(scene);
  if (last_texts_.size() == 1) return last_texts_.front();
  std::vector<Voice> voices;
  voices.reserve(last_texts_.size());
  for (std::size_t i = 0; i < last_texts_.size(); ++i) voices.push_back({last_names_[i], last_texts_[i]});
  return concatenated(voices);
}

std::string GraphWalk::save() const { return to_text(SavedWalk{tokens_, is_start_open_, last_names_, last_texts_}); }

Result<> GraphWalk::load(std::string_view state) {
  Result<SavedWalk> saved = from_text<SavedWalk>(state);
  if (!saved) return fail(saved.error());
  if (saved->tokens.size() != tokens_.size() || saved->open_starts.size() != is_start_open_.size() ||
      saved->last_names.size() != saved->last_texts.size()) {
    return fail(ErrorCode::invalid, "the saved conversation was of another graph");
  }
  tokens_ = std::move(saved->tokens);
  is_start_open_ = std::move(saved->open_starts);
  last_names_ = std::move(saved->last_names);
  last_texts_ = std::move(saved->last_texts);
  return {};
}

}  // namespace parley::teams
