// What an MCP server sends: lists of tools, results, errors. Whatever it is, it is read or refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "agents/llm/json_text.hpp"
#include "agents/mcp/base64.hpp"
#include "agents/mcp/protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley::mcp;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::optional<std::string> bytes = bytes_of_base64(text);
  if (bytes && bytes->size() > size) std::abort();
  const std::optional<Json> message = parley::llm::parse_json(text);
  if (!message) return 0;
  static_cast<void>(discovery_of(*message));
  if (const auto error = error_of(*message)) static_cast<void>(text_of(*error));
  static_cast<void>(tool_result_of(*message));
  const auto page = tool_page_of(*message);
  if (!page) return 0;
  for (const ToolInfo& tool : page->tools) {
    if (tool.name.empty() || !tool.schema.is_object()) std::abort();
    for (const auto& [name, value] : header_values(tool.headers, *message)) {
      for (const char c : name + value) {
        if (c < ' ' || c > '~') std::abort();
      }
    }
  }
  return 0;
}
