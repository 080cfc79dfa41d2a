// Texts of agents, as short as people may see them. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "libmsg/core/utf8.hpp"

namespace parley::people {

/// At most `max_bytes` and a mark that there was more; never half a UTF-8 character.
[[nodiscard]] inline std::string cut_text(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  return std::string(utf8_prefix(text, max_bytes)) + "…";
}

}  // namespace parley::people
