// kind: hierarchical. A manager (a model, or an agent such as a planner) says as JSON who is to do what, hears what
// came of it, and goes on until it is done and gives the answer. Teams may be among those it delegates to. Pure; one
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/teams/strategy.hpp"

namespace parley::teams {

struct DelegationOptions {
  /// In front of the instructions that ship; says what the manager is for.
  std::string prompt;
  /// Questions to the manager for one decision, the first included.
  std::size_t max_attempts = 3;
  /// Tasks that may be given out at once.
  std::size_t max_parallel = 4;
  /// How much of the thread the manager sees.
  HistoryLimits history{.max_messages = 60, .max_bytes = std::size_t{64} * 1024};
};

/// What a manager has decided.
struct Assignment {
  std::size_t seat = 0;
  std::string task;
};
struct ManagerDecision {
  std::vector<Assignment> assignments;  ///< empty when it is done
  std::string answer;                   ///< when it is done
};

/// Reads `{"assignments": [{"to": NAME, "task": TEXT}, …]}` or `{"done": true, "answer": TEXT}`, with prose or a fence
/// around it. Fails with `invalid`; the message tells the manager what is wrong.
[[nodiscard]] Result<ManagerDecision> read_decision(std::string_view text, const Scene& scene,
                                                    std::size_t max_parallel);

class Delegation final : public Strategy {
 public:
  explicit Delegation(DelegationOptions options) : options_(std::move(options)) {}

  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  void advised(const Result<std::string>& advice, const Scene& scene) override;
  [[nodiscard]] std::string answer(const Scene& scene) const override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  [[nodiscard]] std::string system_prompt(const Scene& scene) const;
  [[nodiscard]] std::string question(const Scene& scene) const;

  DelegationOptions options_;
  std::vector<std::string> exchange_;
  std::optional<ManagerDecision> decision_;
  std::optional<Error> failure_;
  std::vector<std::string> log_;  ///< what was given out and skipped, one line each
};

}  // namespace parley::teams
