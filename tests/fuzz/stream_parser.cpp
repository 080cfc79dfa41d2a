// A streamed answer of an OpenAI-compatible server; see stream_reader.hpp.
#include "agents/llm/chat_accumulator.hpp"
#include "tests/fuzz/stream_reader.hpp"

namespace {

std::unique_ptr<parley::llm::AnswerReader> make_reader() {
  return std::make_unique<parley::llm::ChatAccumulator>(
      parley::llm::CallSite{.host = "host", .model = "model", .key_variable = "KEY"}, 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  parley::fuzz::check(&make_reader, data, size);
  return 0;
}
