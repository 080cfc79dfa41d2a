#include "agents/tools/tool_text.hpp"

#include <cstdint>
#include <utility>

#include "libmsg/core/utf8.hpp"

namespace parley::tools {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes of the valid character at the beginning of the text; 0 when there is none. RFC 3629, table 3-7 of Unicode.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(at < text.size() ? text[at] : 0); };
  const auto is_next = [&](std::size_t at, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
    return at < text.size() && byte(at) >= low && byte(at) <= high;
  };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return is_next(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const std::uint8_t low = first == 0xE0 ? 0xA0 : 0x80;
    const std::uint8_t high = first == 0xED ? 0x9F : 0xBF;
    return is_next(1, low, high) && is_next(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const std::uint8_t low = first == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xF4 ? 0x8F : 0xBF;
    return is_next(1, low, high) && is_next(2) && is_next(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string clean_utf8(std::string text) {
  std::size_t good = 0;
  while (good < text.size()) {
    const std::size_t bytes = character_bytes(std::string_view(text).substr(good));
    if (bytes == 0) break;
    good += bytes;
  }
  if (good == text.size()) return text;
  std::string clean = text.substr(0, good);
  for (std::size_t at = good; at < text.size();) {
    const std::size_t bytes = character_bytes(std::string_view(text).substr(at));
    if (bytes == 0) {
      clean += kReplacement;
      ++at;
    } else {
      clean.append(text, at, bytes);
      at += bytes;
    }
  }
  return clean;
}

bool cut_with_note(std::string& text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return false;
  const std::size_t all = text.size();
  text.resize(utf8_prefix(text, max_bytes).size());
  text += "\n[cut here: the first " + std::to_string(text.size()) + " of " + std::to_string(all) + " bytes]";
  return true;
}

}  // namespace parley::tools
