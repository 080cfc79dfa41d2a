#include "agents/kinds/phrase_classifier.hpp"

#include <algorithm>
#include <vector>

#include "libmsg/core/ascii.hpp"

namespace parley::kinds {
namespace {

bool is_word_character(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         static_cast<unsigned char>(letter) >= 0x80;
}

/// A word of a normal form: [begin, end).
struct Word {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::vector<Word> words_of(std::string_view normal) {
  std::vector<Word> words;
  for (std::size_t begin = 0; begin < normal.size();) {
    const std::size_t end = std::min(normal.find(' ', begin), normal.size());
    words.push_back({begin, end});
    begin = end + 1;
  }
  return words;
}

}  // namespace

std::string PhraseClassifier::normal_form(std::string_view text) {
  std::string normal;
  bool is_between_words = false;
  for (const char letter : text) {
    if (!is_word_character(letter)) {
      is_between_words = true;
      continue;
    }
    if (is_between_words && !normal.empty()) normal += ' ';
    is_between_words = false;
    normal += ascii_lower(letter);
  }
  return normal;
}

Result<> PhraseClassifier::add(std::string_view phrase, std::size_t route) {
  std::string normal = normal_form(phrase);
  const std::size_t words = words_of(normal).size();
  if (words == 0) return fail(ErrorCode::invalid, "expected a phrase with at least one word");
  if (words > kMaxPhraseWords) {
    return fail(ErrorCode::invalid, "expected a phrase of at most " + std::to_string(kMaxPhraseWords) + " words");
  }
  const auto [entry, is_new] = routes_.try_emplace(std::move(normal), route);
  if (!is_new && entry->second != route) return fail(ErrorCode::invalid, "expected a phrase that no other route has");
  max_words_ = std::max(max_words_, words);
  return {};
}

std::optional<PhraseClassifier::Match> PhraseClassifier::classify(std::string_view text) const {
  const std::string normal = normal_form(text.substr(0, kMaxTextBytes));
  const std::vector<Word> words = words_of(normal);
  std::optional<Match> best;
  std::string candidate;
  for (std::size_t first = 0; first < words.size(); ++first) {
    const std::size_t last = std::min(words.size(), first + max_words_);
    for (std::size_t i = first; i < last; ++i) {
      const std::size_t length = words[i].end - words[first].begin;
      if (best && length <= best->phrase.size()) continue;
      candidate.assign(normal, words[first].begin, length);
      const auto found = routes_.find(candidate);
      if (found != routes_.end()) best = Match{found->second, candidate};
    }
  }
  return best;
}

}  // namespace parley::kinds
