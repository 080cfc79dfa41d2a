// A file of recorded exchanges, which somebody may have edited: read, asked for everything in it, written again.
#include "agents/llm/recording.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley::llm;
  const auto exchanges = parse_recording({reinterpret_cast<const char*>(data), size});
  if (!exchanges) return 0;
  std::string written = recording_header();
  for (const RecordedExchange& each : *exchanges) written += recording_line(each.request, each.outcome);
  const auto again = parse_recording(written);
  if (!again || again->size() != exchanges->size()) std::abort();
  Replay in_order(*exchanges, ReplayMatch::order);
  Replay by_request(*exchanges, ReplayMatch::request);
  for (const RecordedExchange& each : *exchanges) {
    if (!in_order.answer(each.request)) std::abort();
    if (!by_request.answer(each.request)) std::abort();
    nlohmann::json other = each.request;
    other["temperature"] = "other";
    static_cast<void>(by_request.answer(other));
  }
  return 0;
}
