// A book with virtual time, and words for what tests do with it. One dollar for a million tokens, in and out, so that a
// token is a micro-dollar.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/ledger/book.hpp"
#include "services/ledger/calendar.hpp"

namespace parley::ledger {

inline constexpr std::uint64_t kNanoPerToken = 1000;
inline constexpr std::uint64_t kUsd = 1'000'000'000;

inline llm::ModelPrice one_dollar() { return {1'000'000, 1'000'000, 1'000'000}; }
inline PriceTable prices() {
  return PriceTable(std::map<std::string, llm::ModelPrice, std::less<>>{{"gpt", one_dollar()}, {"big", one_dollar()}});
}

inline budget::Limit limit(std::string name, budget::Scope scope, std::string subject,
                           std::optional<std::uint64_t> tokens, budget::Period period = budget::Period::total) {
  budget::Limit made;
  made.name = std::move(name);
  made.scope = scope;
  made.subject = std::move(subject);
  made.period = period;
  made.tokens = tokens;
  return made;
}
/// A limit in money, told in the tokens that it pays for.
inline budget::Limit money(std::string name, std::uint64_t tokens, budget::Period period = budget::Period::total) {
  budget::Limit made = limit(std::move(name), budget::Scope::all, "", std::nullopt, period);
  made.nano_usd = tokens * kNanoPerToken;
  return made;
}

/// The output of a call that sets no limit.
inline constexpr std::uint64_t kUncapped = ~std::uint64_t{0};

/// Input and output of a call, guessed or real.
struct Tokens {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
};

struct BookBench {
  explicit BookBench(std::vector<budget::Limit> limits, budget::BudgetsConfig settings = worst_case(),
                     BookLimits bounds = {})
      : config(std::move(settings)), bounds_(bounds) {
    config.limits = std::move(limits);
    start();
  }
  static budget::BudgetsConfig worst_case() {
    budget::BudgetsConfig config;
    config.estimate = budget::EstimateMode::worst_case;
    return config;
  }

  void start() { book.emplace(config, prices(), bounds_, now); }

  /// In the worst case mode exactly these tokens are reserved.
  messages::BudgetReserve order(std::string id, Tokens tokens) const {
    messages::BudgetReserve made;
    made.id = std::move(id);
    made.agent = agent;
    made.conversation = conversation;
    made.model = model;
    // A limit of 0 is none: without output one of the tokens is taken for it.
    if (tokens.out == 0) tokens = {tokens.in - 1, 1};
    made.input_tokens = tokens.in;
    made.max_input_tokens = tokens.in;
    made.max_output_tokens = tokens.out == kUncapped ? 0 : tokens.out;
    return made;
  }
  messages::BudgetVerdict reserve(std::string id, Tokens tokens) {
    return book->reserve(order(std::move(id), tokens), now);
  }
  bool grants(std::string id, Tokens tokens) { return reserve(std::move(id), tokens).is_granted; }
  void settle(std::string id, Tokens tokens) {
    messages::BudgetSettle made;
    made.id = std::move(id);
    made.agent = agent;
    made.conversation = conversation;
    made.model = model;
    made.usage.model = model;
    made.usage.input_tokens = tokens.in;
    made.usage.output_tokens = tokens.out;
    book->settle(made, now);
  }
  void release(const std::string& id) { book->release(id, now); }
  void advance(Duration time) {
    now.mono += time;
    now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(time);
    book->tick(now);
  }
  /// What is spent, held, … of one account.
  messages::BudgetRow row(const std::string& name, const std::string& subject = "") {
    for (messages::BudgetRow& each : book->report({name, 0}, now).rows) {
      if (each.subject == subject) return each;
    }
    ADD_FAILURE() << "no account of " << name << " for '" << subject << "'";
    return {};
  }
  std::uint64_t spent(const std::string& name, const std::string& subject = "") {
    return row(name, subject).spent_tokens;
  }
  std::uint64_t held(const std::string& name, const std::string& subject = "") {
    return row(name, subject).reserved_tokens;
  }

  budget::BudgetsConfig config;
  BookLimits bounds_;
  // 2026-11-21T10:30:00Z, so that hours, days and months end at different times.
  Now now{TimePoint(std::chrono::hours(1)), wall_from_ms(1'795'257'000'000)};
  std::string agent = "hr/alice";
  std::string conversation = "c1";
  std::string model = "gpt";
  std::optional<Book> book;
};

}  // namespace parley::ledger
