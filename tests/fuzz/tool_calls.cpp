// Pieces of tool calls, one JSON value a line, as a stream brings them and as whole calls.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "agents/llm/json_text.hpp"
#include "agents/llm/tool_call_accumulator.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using parley::llm::ToolCallAccumulator;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  ToolCallAccumulator streamed;
  ToolCallAccumulator whole;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (const auto piece = parley::llm::parse_json(text.substr(0, end))) {
      static_cast<void>(streamed.add(*piece));
      static_cast<void>(whole.add_whole(*piece));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  for (const auto& calls : {streamed.calls("made-up"), whole.calls("made-up")}) {
    if (calls.size() > ToolCallAccumulator::kMaxCalls) std::abort();
    for (const auto& call : calls) {
      if (call.id.empty()) std::abort();
      if (!parley::llm::arguments_object(call.arguments).is_object()) std::abort();
    }
  }
  if (streamed.calls("x").size() > whole.calls("x").size()) std::abort();
  return 0;
}
