// Finds the intent of a text by known phrases: whole words, case (ASCII) does not matter, the longest phrase wins.
// Words are runs of letters, digits and non-ASCII characters; anything between them counts as one space, so
// "Human-Resources?" contains "human resources". Pure; any thread once built.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "libmsg/core/error.hpp"

namespace parley::kinds {

class PhraseClassifier {
 public:
  static constexpr std::size_t kMaxPhraseWords = 16;
  /// Only this much of a text is looked at.
  static constexpr std::size_t kMaxTextBytes = std::size_t{64} * 1024;

  struct Match {
    std::size_t route = 0;  ///< as given to add()
    std::string phrase;     ///< the phrase that decided, in its normal form
    friend bool operator==(const Match&, const Match&) = default;
  };

  /// The words of a text in lower case, joined by one space each.
  [[nodiscard]] static std::string normal_form(std::string_view text);

  /// Fails with `invalid` for a phrase without a word, with too many words, or that another route has already.
  Result<> add(std::string_view phrase, std::size_t route);

  /// The route of the longest phrase in the text (in characters of its normal form); of equally long ones the first in
  /// the text.
  [[nodiscard]] std::optional<Match> classify(std::string_view text) const;

 private:
  std::unordered_map<std::string, std::size_t> routes_;  ///< by normal form
  std::size_t max_words_ = 0;
};

}  // namespace parley::kinds
