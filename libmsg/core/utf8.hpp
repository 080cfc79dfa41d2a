// Cutting text where no character is split. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace parley {

[[nodiscard]] inline bool is_utf8_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// At most `bytes` of the text, cut before the character that would not fit.
[[nodiscard]] inline std::string_view utf8_prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && is_utf8_continuation(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

}  // namespace parley
