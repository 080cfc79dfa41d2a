// What the targets of streamed answers share: the body of an answer from a model server that may be anything, first
// byte, then the body. The first byte says in which pieces the body arrives. Cutting it differently must not change the
// answer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/llm/provider_protocol.hpp"
#include "agents/llm/sse_parser.hpp"

namespace parley::fuzz {

using MakeReader = std::unique_ptr<llm::AnswerReader> (*)();

struct Answer {
  std::vector<std::string> events;
  std::string text;
  std::vector<messages::ToolCall> tool_calls;
  std::string provider_state;
  bool is_whole = false;
  bool is_refused = false;

  friend bool operator==(const Answer&, const Answer&) = default;
};

/// False when the body is refused.
inline bool take(Answer& answer, llm::AnswerReader& reader, const Result<std::vector<std::string>>& events) {
  if (!events) return false;
  for (const std::string& event : *events) {
    answer.events.push_back(event);
    const auto added = reader.add(event);
    if (!added) return false;
    answer.text += *added;
  }
  return true;
}

inline Answer read(MakeReader make, std::string_view body, std::size_t piece_bytes) {
  Answer answer;
  llm::SseParser parser(4096);
  const std::unique_ptr<llm::AnswerReader> reader = make();
  for (std::size_t at = 0; at < body.size() && !answer.is_refused; at += piece_bytes) {
    answer.is_refused = !take(answer, *reader, parser.feed(body.substr(at, piece_bytes)));
  }
  if (!answer.is_refused) answer.is_refused = !take(answer, *reader, parser.finish());
  if (reader->text_bytes() != answer.text.size()) std::abort();
  const auto completion = reader->finish();
  answer.is_whole = completion.has_value();
  if (completion) {
    const bool is_tool_turn = completion->finish_reason == llm::FinishReason::tool_calls;
    if (is_tool_turn != !completion->tool_calls.empty()) std::abort();
    answer.tool_calls = completion->tool_calls;
    answer.provider_state = completion->provider_state;
  }
  return answer;
}

inline void check(MakeReader make, const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const Answer in_pieces = read(make, body, std::max<std::size_t>(data[0], 1));
  const Answer at_once = read(make, body, body.size() + 1);
  // A refusal may come earlier when the bytes come together with it; an accepted body reads the same either way.
  if (in_pieces.is_refused != at_once.is_refused) std::abort();
  if (!at_once.is_refused && in_pieces != at_once) std::abort();

  const std::unique_ptr<llm::AnswerReader> whole = make();
  if (whole->add_whole(body)) static_cast<void>(whole->finish());
}

}  // namespace parley::fuzz
