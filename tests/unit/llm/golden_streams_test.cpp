// The streams of tests/golden/models, each with a quirk of some server, through the real parsers.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "agents/llm/anthropic_reader.hpp"
#include "agents/llm/canonical_request.hpp"
#include "agents/llm/chat_accumulator.hpp"
#include "agents/llm/sse_parser.hpp"

namespace parley::llm {
namespace {

using nlohmann::json;

const std::filesystem::path kFolder = std::filesystem::path(PARLEY_SOURCE_DIR) / "tests/golden/models";

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".sse") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

std::unique_ptr<AnswerReader> reader_for(const json& expected) {
  ProviderCall call;
  call.site = {.host = "host:1", .model = "asked-model", .key_variable = "KEY"};
  call.estimated_input = 100;
  call.fallback_call_id = "made-up";
  call.answer_tool = expected.value("answer_tool", "");
  if (expected["provider"] == "anthropic") return std::make_unique<AnthropicReader>(std::move(call));
  return std::make_unique<ChatAccumulator>(call.site, call.estimated_input, call.fallback_call_id);
}

/// What the stream comes to when it arrives in pieces of this size, in the form of the expectation.
json outcome_of(const std::string& stream, const json& expected, std::size_t piece_bytes) {
  const std::unique_ptr<AnswerReader> reader = reader_for(expected);
  SseParser parser;
  std::string handed_out;
  const auto take = [&](const Result<std::vector<std::string>>& events) -> std::optional<json> {
    for (const std::string& event : events.value()) {
      const auto added = reader->add(event);
      if (!added) return json{{"error", to_string(added.error().error.code)}};
      handed_out += *added;
    }
    return std::nullopt;
  };
  for (std::size_t at = 0; at < stream.size(); at += piece_bytes) {
    if (const auto failed = take(parser.feed(std::string_view(stream).substr(at, piece_bytes)))) return *failed;
  }
  if (const auto failed = take(parser.finish())) return *failed;
  const auto completion = reader->finish();
  if (!completion) return {{"error", to_string(completion.error().error.code)}};
  EXPECT_EQ(handed_out, completion->text);
  return {{"completion", json_of(*completion)}};
}

class GoldenStream : public testing::TestWithParam<std::string> {};

TEST_P(GoldenStream, becomes_the_expected_completion_however_it_is_cut) {
  const std::string stream = read_file(kFolder / (GetParam() + ".sse"));
  const json expected = json::parse(read_file(kFolder / (GetParam() + ".json")));
  json wanted;
  for (const char* key : {"completion", "error"}) {
    if (expected.contains(key)) wanted[key] = expected[key];
  }
  for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{7}, std::size_t{100}, stream.size()}) {
    EXPECT_EQ(outcome_of(stream, expected, piece_bytes), wanted)
        << expected["about"] << " in pieces of " << piece_bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenStream, testing::ValuesIn(names()),
                         [](const auto& stream) { return stream.param; });

}  // namespace
}  // namespace parley::llm
