// Cuts a text that is too long for where it goes, at the end of a UTF-8 character, and shows that it did. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "libmsg/core/utf8.hpp"

namespace parley::kinds {

/// At most `max_bytes`, the mark included.
[[nodiscard]] inline std::string clip_text(std::string text, std::size_t max_bytes) {
  constexpr std::string_view kMark = " […]";
  if (text.size() <= max_bytes) return text;
  const std::size_t room = max_bytes > kMark.size() ? max_bytes - kMark.size() : 0;
  text.resize(utf8_prefix(text, room).size());
  if (max_bytes >= kMark.size()) text += kMark;
  return text;
}

}  // namespace parley::kinds
