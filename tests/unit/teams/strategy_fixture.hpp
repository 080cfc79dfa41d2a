// Members, a thread, and a strategy that is played turn by turn.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/teams/strategy.hpp"

namespace parley::teams {

struct StrategyFixture : testing::Test {
  void begin(const std::string& task = "the task") {
    thread.begin_task();
    thread.add({"user", task, {}, 0});
    strategy->begin(scene());
  }
  [[nodiscard]] Scene scene() const { return {seats, thread}; }

  /// Names of those who are to speak now, joined by spaces; `?` for a consultation, `.reason` for an end, `!` for a
  /// break.
  [[nodiscard]] std::string step() {
    Step next = strategy->next(scene());
    if (std::holds_alternative<Consult>(next)) return "?";
    if (const auto* finish = std::get_if<Finish>(&next)) return "." + finish->reason;
    if (const auto* broken = std::get_if<Break>(&next)) return "!" + broken->error.message;
    std::string names;
    for (const Turn& turn : std::get<Speak>(next).turns) names += (names.empty() ? "" : " ") + seats[turn.member].name;
    return names;
  }
  [[nodiscard]] Turn turn(std::size_t index = 0) {
    Step next = strategy->next(scene());
    return std::get<Speak>(next).turns.at(index);
  }
  [[nodiscard]] Consult consult() {
    Step next = strategy->next(scene());
    return std::get<Consult>(next);
  }

  /// All who are to speak now say something: the texts in their order; `>name` hands over, `-` is skipped.
  void hear_all(const std::vector<std::string>& texts) {
    Step next = strategy->next(scene());
    std::vector<Outcome> outcomes;
    const std::vector<Turn> turns = std::get<Speak>(next).turns;
    ASSERT_EQ(turns.size(), texts.size());
    for (std::size_t i = 0; i < turns.size(); ++i) {
      Outcome outcome{turns[i].member, {}, texts[i] == "-"};
      if (texts[i].starts_with('>')) outcome.answer.handoff = texts[i].substr(1);
      if (!outcome.is_skipped) {
        outcome.answer.text = texts[i];
        thread.add({seats[turns[i].member].name, texts[i], {}, 0});
      }
      outcomes.push_back(std::move(outcome));
    }
    strategy->heard(outcomes, scene());
  }
  void hear(const std::string& text) { hear_all({text}); }

  /// A strategy of the same settings that has loaded the state of this one goes on instead of it.
  void restart(std::unique_ptr<Strategy> other) {
    const Result<> loaded = other->load(strategy->save());
    ASSERT_TRUE(loaded) << loaded.error().message;
    strategy = std::move(other);
  }

  std::vector<Seat> seats{{"a", "first"}, {"b", "second"}, {"c", "third"}};
  Thread thread;
  std::unique_ptr<Strategy> strategy;
};

}  // namespace parley::teams
