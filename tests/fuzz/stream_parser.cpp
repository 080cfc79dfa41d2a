// The body of a streamed answer, from a model server that may be anything: first byte, then the body. The first byte
// says in which pieces the body arrives. Cutting it differently must not change the answer.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/chat_accumulator.hpp"
#include "agents/llm/sse_parser.hpp"

namespace {

using parley::Result;
using parley::llm::ChatAccumulator;
using parley::llm::SseParser;

struct Answer {
  std::vector<std::string> events;
  std::string text;
  bool is_whole = false;
  bool is_refused = false;

  friend bool operator==(const Answer&, const Answer&) = default;
};

/// False when the body is refused.
bool take(Answer& answer, ChatAccumulator& accumulator, const Result<std::vector<std::string>>& events) {
  if (!events) return false;
  for (const std::string& event : *events) {
    answer.events.push_back(event);
    const auto added = accumulator.add(event);
    if (!added) return false;
    answer.text += *added;
  }
  return true;
}

Answer read(std::string_view body, std::size_t piece_bytes) {
  Answer answer;
  SseParser parser(4096);
  ChatAccumulator accumulator({.host = "host", .model = "model", .key_variable = "KEY"}, 1);
  for (std::size_t at = 0; at < body.size() && !answer.is_refused; at += piece_bytes) {
    answer.is_refused = !take(answer, accumulator, parser.feed(body.substr(at, piece_bytes)));
  }
  if (!answer.is_refused) answer.is_refused = !take(answer, accumulator, parser.finish());
  if (accumulator.text() != answer.text) std::abort();
  const auto completion = accumulator.finish();
  answer.is_whole = completion.has_value();
  if (completion && completion->text != answer.text) std::abort();
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const Answer in_pieces = read(body, std::max<std::size_t>(data[0], 1));
  const Answer at_once = read(body, body.size() + 1);
  // A refusal may come earlier when the bytes come together with it; an accepted body reads the same either way.
  if (in_pieces.is_refused != at_once.is_refused) std::abort();
  if (!at_once.is_refused && in_pieces != at_once) std::abort();

  ChatAccumulator whole({.host = "host", .model = "model", .key_variable = "KEY"}, 1);
  if (whole.add_whole(body)) static_cast<void>(whole.finish());
  return 0;
}
