// A schema and a value that it is asked about, split by the first line break: the check ends, within its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agents/llm/json_text.hpp"
#include "agents/tools/schema.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto schema = parley::tools::JsonSchema::parse(text.substr(0, end));
  const auto value = parley::llm::parse_json(text.substr(end + 1));
  if (!schema || !value) return 0;
  if (schema->problems(*value).size() > 8) std::abort();
  return 0;
}
