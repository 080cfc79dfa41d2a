// Space around a text is not part of it. Pure; any thread.
#pragma once

#include <string_view>

namespace parley::kinds {

[[nodiscard]] inline std::string_view trim_text(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace parley::kinds
