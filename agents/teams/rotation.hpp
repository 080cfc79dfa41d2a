// The strategies that need no decision: one after the other, again and again (round_robin), once (a sequential
// pipeline), or all at once (broadcast, a parallel pipeline) with the answers put together. Pure; one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/teams/aggregation.hpp"
#include "agents/teams/strategy.hpp"

namespace parley::teams {

/// Members speak in the order of their seats; after the last one comes the first again. A new task begins with the one
/// after the last speaker.
class RoundRobin final : public Strategy {
 public:
  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  std::size_t next_ = 0;
};

/// Each member speaks once, in the order of the seats; the answer is what the last one said that was not skipped.
class Sequence final : public Strategy {
 public:
  /// Instructions of the stages, by seat; may be shorter than the list of seats.
  explicit Sequence(std::vector<std::string> instructions = {}) : instructions_(std::move(instructions)) {}

  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  std::vector<std::string> instructions_;
  std::size_t next_ = 0;
};

struct BroadcastOptions {
  /// How often all speak; from the second time on each has heard the others.
  std::size_t rounds = 1;
  Aggregation::How aggregate = Aggregation::How::concat;
  /// For Aggregation::How::agent: the seat that puts the answers together and does nothing else.
  std::optional<std::size_t> aggregator = std::nullopt;
  /// Instructions by seat; may be shorter than the list of seats.
  std::vector<std::string> instructions = {};
};

/// All members speak at once.
class Broadcast final : public Strategy {
 public:
  explicit Broadcast(BroadcastOptions options) : options_(std::move(options)) {}

  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  [[nodiscard]] std::string answer(const Scene& scene) const override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  [[nodiscard]] bool is_aggregator(std::size_t seat) const { return options_.aggregator == seat; }

  BroadcastOptions options_;
  std::size_t round_ = 0;
  std::vector<Voice> voices_;  ///< of the last round
  std::optional<std::string> aggregate_;
};

}  // namespace parley::teams
