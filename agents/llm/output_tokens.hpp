// How many tokens of output a model asks its provider for, beside what a request says: budgets reserve and cap what is
// really sent. Pure values; any thread.
#pragma once

#include <cstdint>

namespace parley::llm {

struct OutputTokens {
  /// Of an answer when the request sets no limit; 0: the model sends none.
  std::uint64_t max = 0;
  /// Beyond the limit of every answer: what the model may think with.
  std::uint64_t added = 0;
  friend bool operator==(const OutputTokens&, const OutputTokens&) = default;
};

}  // namespace parley::llm
