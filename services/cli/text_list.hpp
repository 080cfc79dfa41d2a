// Several names in one line of text. Pure; any thread.
#pragma once

#include <string>
#include <vector>

namespace parley::cli {

/// `a, b, c`
[[nodiscard]] inline std::string comma_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + text;
  return list;
}

}  // namespace parley::cli
