// Two agents: a chat in which each answers the other, and a writer with a reviewer who sends the text back until he
// accepts it. Pure; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "agents/teams/strategy.hpp"

namespace parley::teams {

struct TwoAgentOptions {
  /// What the first member says without being asked, `{{task}}` filled in; empty: the first member is asked with the
  /// task.
  std::string initiate;
  /// Answers of each member, by seat; one more ends the chat.
  std::array<std::uint64_t, 2> max_auto_replies{10, 10};
};

/// Seat 0 initiates, seat 1 answers, and so on.
class TwoAgentChat final : public Strategy {
 public:
  explicit TwoAgentChat(TwoAgentOptions options) : options_(std::move(options)) {}

  [[nodiscard]] std::optional<Opening> opening(std::string_view task) const override;
  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  TwoAgentOptions options_;
  std::size_t next_ = 0;
  std::array<std::uint64_t, 2> replies_{0, 0};
};

struct ReflectionOptions {
  /// The reviewer accepts by saying this word.
  std::string accept = "APPROVE";
  /// Revisions after the first version.
  std::uint64_t max_revisions = 5;
  /// Unset texts are the ones that ship.
  std::string review_instruction = {};
  std::string revise_instruction = {};
};

/// Seat 0 writes, seat 1 reviews. The answer is the writer's last version.
class Reflection final : public Strategy {
 public:
  explicit Reflection(ReflectionOptions options) : options_(std::move(options)) {}

  void begin(const Scene& scene) override;
  Step next(const Scene& scene) override;
  void heard(const std::vector<Outcome>& outcomes, const Scene& scene) override;
  [[nodiscard]] std::string answer(const Scene& scene) const override;
  [[nodiscard]] std::string save() const override;
  Result<> load(std::string_view state) override;

 private:
  [[nodiscard]] std::string review_instruction() const;
  [[nodiscard]] std::string revise_instruction() const;

  ReflectionOptions options_;
  std::uint64_t versions_ = 0;
  std::uint64_t reviews_ = 0;
  bool is_accepted_ = false;
};

}  // namespace parley::teams
