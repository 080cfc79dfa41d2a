// What a tool gave, as a model may read it: valid UTF-8, within a limit. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace parley::tools {

/// Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string clean_utf8(std::string text);

/// Cuts the text at the limit and says so in a line at its end, which comes on top of the limit. True when it was cut.
[[nodiscard]] bool cut_with_note(std::string& text, std::size_t max_bytes);

}  // namespace parley::tools
