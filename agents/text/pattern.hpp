// A regular expression that is safe on text from models and strangers: RE2 takes time linear in the text and no stack,
// where std::regex recurses once for each character. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libmsg/core/error.hpp"

namespace re2 {
class RE2;
}

namespace parley {

class Pattern {
 public:
  enum class LetterCase : std::uint8_t { exact, any };
  /// What was found: all of it, and the first nine groups; empty where a group took no part.
  using Groups = std::array<std::string, 10>;

  /// Fails with `invalid`, saying why, for what is no expression of RE2 (no look-around, no back references), and for
  /// one that would take more than 1 MiB compiled.
  static Result<Pattern> make(const std::string& expression, LetterCase letters = LetterCase::exact);

  /// True when the expression matches somewhere in the text.
  [[nodiscard]] bool is_found_in(std::string_view text) const;
  /// The first match.
  [[nodiscard]] std::optional<Groups> find(std::string_view text) const;
  [[nodiscard]] const std::string& text() const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> expression) : expression_(std::move(expression)) {}
  /// Shared: patterns are copied with the settings of each agent.
  std::shared_ptr<const re2::RE2> expression_;
};

}  // namespace parley
