// A message with fenced code: the blocks hold what was between the fences and nothing else, and a block that is written
// down again, by a longer fence than any in it, is read as it was.
#include "agents/kinds/code_blocks.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley::kinds;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<CodeBlock> blocks = find_code_blocks(text);
  std::size_t bytes = 0;
  for (const CodeBlock& block : blocks) {
    // The last line may gain the line break that the text did not end with.
    bytes += block.code.size();
    if (bytes > size + 1 || block.label.size() > size || block.file_name.size() > block.code.size()) std::abort();
    if (!block.code.empty() && !block.code.ends_with('\n')) std::abort();
    // A line's carriage return goes with each reading.
    if (block.code.contains('\r') || block.label.contains('\r')) continue;
    const std::string fence(size + 3, '~');
    const std::vector<CodeBlock> again = find_code_blocks(fence + " " + block.label + "\n" + block.code + fence + "\n");
    if (again != std::vector<CodeBlock>{block}) std::abort();
  }
  return 0;
}
