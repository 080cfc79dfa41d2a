#include "agents/teams/aggregation.hpp"

#include <algorithm>

#include "libmsg/core/ascii.hpp"

namespace parley::teams {

std::string concatenated(const std::vector<Voice>& voices) {
  std::string text;
  for (const Voice& voice : voices) {
    if (!text.empty()) text += "\n\n";
    text += voice.name + ": " + voice.text;
  }
  return text;
}

std::string ballot(std::string_view text) {
  constexpr std::string_view kOuter = " \t\r\n\"'`*.!?,;:";
  const std::size_t begin = text.find_first_not_of(kOuter);
  if (begin == std::string_view::npos) return {};
  std::string_view line = text.substr(begin);
  line = line.substr(0, line.find('\n'));
  line = line.substr(0, line.find_last_not_of(kOuter) + 1);
  return ascii_lower(line);
}

VoteResult vote(const std::vector<Voice>& voices) {
  struct Count {
    std::string counted;
    const Voice* first;
    std::size_t votes;
  };
  std::vector<Count> counts;
  VoteResult result;
  for (const Voice& voice : voices) {
    std::string counted = ballot(voice.text);
    if (counted.empty()) continue;
    ++result.voters;
    const auto known = std::ranges::find(counts, counted, &Count::counted);
    if (known == counts.end()) {
      counts.push_back({std::move(counted), &voice, 1});
    } else {
      ++known->votes;
    }
  }
  for (const Count& each : counts) {
    if (each.votes > result.votes) {
      result = {each.first->text, each.votes, result.voters, false};
    } else if (each.votes == result.votes) {
      result.is_tie = true;
    }
  }
  return result;
}

}  // namespace parley::teams
