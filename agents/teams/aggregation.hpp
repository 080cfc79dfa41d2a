// Puts the answers of several members together. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::teams {

struct Aggregation {
  enum class How : std::uint8_t {
    concat,  ///< one after the other, each under its speaker's name
    vote,    ///< what most of them say
    agent,   ///< a member puts them together
  };
  How how = How::concat;
};

struct Voice {
  std::string name;
  std::string text;
};

/// `name: text`, with an empty line between.
[[nodiscard]] std::string concatenated(const std::vector<Voice>& voices);

struct VoteResult {
  /// The first text that said what most say; empty when nobody said anything.
  std::string text;
  std::size_t votes = 0;
  std::size_t voters = 0;
  /// Another text had as many votes; the one that was said first wins.
  bool is_tie = false;
};
/// Votes are equal when their first lines are, apart from case, outer spaces and punctuation in the end. Empty ones
/// abstain.
[[nodiscard]] VoteResult vote(const std::vector<Voice>& voices);

/// The part of a text that counts as its vote.
[[nodiscard]] std::string ballot(std::string_view text);

}  // namespace parley::teams
