// Web pages: whatever the bytes are, the text is bounded by them, and resolving links does not matter to that.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agents/tools/html_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view page(reinterpret_cast<const char*>(data), size);
  const std::string text = parley::tools::html_text(page);
  // A tag of four bytes may become a heading's seven.
  if (text.size() > 4 * size + 16) std::abort();
  const std::string with_links =
      parley::tools::html_text(page, [](std::string_view href) { return std::string(href.substr(0, 8)); });
  if (with_links.size() > 8 * size + 64) std::abort();
  if (parley::tools::decode_references(page).size() > size) std::abort();
  return 0;
}
