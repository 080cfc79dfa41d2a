// strategy: graph. Walks a checked graph: an edge that is taken leaves a token at its end, a node with enough tokens
// runs, and all nodes that can run do so at once. It ends when none can. Pure; one thread.
#pragma once

#include <memory>

#include "agents/teams/graph.hpp"
#include "agents/teams/strategy.hpp"

namespace parley::teams {

class GraphWalk final : public Strategy {
 public:
  /// Shared with the other conversations of the type; its nodes are the seats.
  explicit GraphWalk(std::shared_ptr<const Graph> graph);

  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  /// Of the nodes that ran last; several are put together.
  [[nodiscard]] std::string answer(const Scene& scene) const override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  [[nodiscard]] bool is_ready(std::size_t node) const;
  void take_tokens(std::size_t node);
  [[nodiscard]] std::vector<std::string> handoffs_of(std::size_t node) const;
  [[nodiscard]] std::string end_reason() const;

  std::shared_ptr<const Graph> graph_;
  std::vector<std::uint64_t> tokens_;  ///< by edge
  std::vector<bool> is_start_open_;    ///< by node: it has not had its first run
  std::vector<std::string> last_names_;
  std::vector<std::string> last_texts_;
};

}  // namespace parley::teams
