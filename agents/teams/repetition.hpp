// Notices when a conversation goes round in circles: the last exchanges say, speaker by speaker, nearly the same as the
// exchanges before them. A circle may take one message (somebody repeats himself) or several (two agents thank each
// other for ever). Texts are compared by the Jaccard index of their word shingles. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::teams {

struct RepetitionOptions {
  /// From 0 (nothing in common) to 1 (the same words in the same order).
  double similarity = 0.9;
  /// How often an exchange must have been said, the first time included.
  std::size_t times = 3;
  /// Messages in the longest circle that is looked for.
  std::size_t max_period = 6;
};

/// Hashes of the runs of three words (letters and digits, any case) of a text, sorted, each once; a text of fewer words
/// is one run.
[[nodiscard]] std::vector<std::uint64_t> shingles(std::string_view text);
/// Shared ÷ all; 1 for two empty sets.
[[nodiscard]] double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b);

class Repetition {
 public:
  explicit Repetition(RepetitionOptions options) : options_(options) {}

  /// Takes the next message; the reason when it closes a circle, for example
  /// `repetition:writer, critic said the same 3 times`.
  [[nodiscard]] std::optional<std::string> add(std::string_view from, std::string_view text);
  void reset() { window_.clear(); }

 private:
  struct Entry {
    std::string from;
    std::vector<std::uint64_t> shingles;
  };
  [[nodiscard]] bool is_circle(std::size_t period) const;

  RepetitionOptions options_;
  std::deque<Entry> window_;  ///< newest last; as many as the longest circle needs
};

}  // namespace parley::teams
