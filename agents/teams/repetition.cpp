#include "agents/teams/repetition.hpp"

#include <algorithm>

#include "libmsg/core/ascii.hpp"

namespace parley::teams {

namespace {

constexpr std::size_t kShingleWords = 3;

bool is_part_of_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte >= 0x80U;
}

/// FNV-1a; collisions make texts a little more similar than they are, which does not matter here.
class Hash {
 public:
  void add(char c) { value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL; }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

std::vector<std::uint64_t> word_hashes(std::string_view text) {
  std::vector<std::uint64_t> words;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_part_of_word(text[i])) {
      ++i;
      continue;
    }
    Hash word;
    for (; i < text.size() && is_part_of_word(text[i]); ++i) {
      word.add(ascii_lower(text[i]));
    }
    words.push_back(word.value());
  }
  return words;
}

std::uint64_t combined(const std::uint64_t* words, std::size_t count) {
  std::uint64_t value = count;
  for (std::size_t i = 0; i < count; ++i) value = (value ^ words[i]) * 0x9e3779b97f4a7c15ULL;
  return value;
}

}  // namespace

std::vector<std::uint64_t> shingles(std::string_view text) {
  const std::vector<std::uint64_t> words = word_hashes(text);
  std::vector<std::uint64_t> found;
  if (words.empty()) return found;
  const std::size_t length = std::min(kShingleWords, words.size());
  for (std::size_t i = 0; i + length <= words.size(); ++i) found.push_back(combined(&words[i], length));
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  return found;
}

double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::size_t shared = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      ++shared;
      ++i;
      ++j;
    } else if (a[i] < b[j]) {
      ++i;
    } else {
      ++j;
    }
  }
  const std::size_t all = a.size() + b.size() - shared;
  return all == 0 ? 1.0 : static_cast<double>(shared) / static_cast<double>(all);
}

std::optional<std::string> Repetition::add(std::string_view from, std::string_view text) {
  window_.push_back({std::string(from), shingles(text)});
  if (window_.size() > options_.times * options_.max_period) window_.pop_front();
  for (std::size_t period = 1; period <= options_.max_period; ++period) {
    if (!is_circle(period)) continue;
    std::string speakers;
    for (std::size_t i = window_.size() - period; i < window_.size(); ++i) {
      speakers += (speakers.empty() ? "" : ", ") + window_[i].from;
    }
    return "repetition:" + speakers + " said the same " + std::to_string(options_.times) + " times";
  }
  return std::nullopt;
}

bool Repetition::is_circle(std::size_t period) const {
  const std::size_t needed = options_.times * period;
  if (window_.size() < needed) return false;
  for (std::size_t i = window_.size() - needed + period; i < window_.size(); ++i) {
    const Entry& now = window_[i];
    const Entry& before = window_[i - period];
    if (now.from != before.from || jaccard(now.shingles, before.shingles) < options_.similarity) return false;
  }
  return true;
}

}  // namespace parley::teams
