// A streamed answer of the Messages API, asked for text and for a structured answer; see stream_reader.hpp.
#include "agents/llm/anthropic_reader.hpp"
#include "tests/fuzz/stream_reader.hpp"

namespace {

std::unique_ptr<parley::llm::AnswerReader> reader_with(const char* answer_tool) {
  parley::llm::ProviderCall call;
  call.site = {.host = "host", .model = "model", .key_variable = "KEY"};
  call.estimated_input = 1;
  call.fallback_call_id = "call";
  call.answer_tool = answer_tool;
  return std::make_unique<parley::llm::AnthropicReader>(std::move(call));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  parley::fuzz::check([] { return reader_with(""); }, data, size);
  parley::fuzz::check([] { return reader_with("answer"); }, data, size);
  return 0;
}
