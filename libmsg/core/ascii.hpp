// Letters and space without regard to the locale. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace parley {

[[nodiscard]] constexpr char ascii_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// Bytes outside A–Z stay as they are, UTF-8 among them.
[[nodiscard]] inline std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char letter) { return ascii_lower(letter); });
  return lower;
}

/// Without the spaces, tabs and line ends around it.
[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

[[nodiscard]] inline bool equals_any_case(std::string_view a, std::string_view b) {
  return ascii_lower(a) == ascii_lower(b);
}

[[nodiscard]] inline bool contains_any_case(std::string_view text, std::string_view part) {
  return ascii_lower(text).contains(ascii_lower(part));
}

}  // namespace parley
