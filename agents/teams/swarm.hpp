// strategy: swarm. Who speaks decides who comes next, by handing over. Without a handover the answer is for the user,
// unless the same one is to go on. Pure; one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/teams/strategy.hpp"

namespace parley::teams {

struct SwarmOptions {
  /// Who speaks first; later tasks go to the one who spoke last.
  std::size_t first = 0;
  /// Members that a seat may hand over to; seats that are not in it may hand over to all others.
  std::map<std::size_t, std::vector<std::size_t>> targets = {};
  /// Without a handover the same member speaks again, until a condition or a limit ends it.
  bool goes_on_without_handoff = false;
};

class Swarm final : public Strategy {
 public:
  explicit Swarm(SwarmOptions options) : options_(std::move(options)), current_(options_.first) {}

  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  [[nodiscard]] std::vector<std::string> targets_of(std::size_t seat, const Scene& scene) const;

  SwarmOptions options_;
  std::size_t current_;
  std::optional<std::string> finished_;
  std::string reason_;
};

}  // namespace parley::teams
