#include "services/cli/chat_transcript.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "services/cli/suite/temporary_folder.hpp"

namespace parley::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Transcript exchange_of(const std::string& said, const Result<messages::Answer>& answer) {
  Transcript exchange("hr", said, WallTime{});
  exchange.finish(answer, WallTime{});
  return exchange;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct ChatTranscriptTest : testing::Test {
  TemporaryFolder folder{"parley-t"};
  messages::Answer answer{.text = "30 days", .from = "hr"};
};

TEST_F(ChatTranscriptTest, has_every_exchange_as_soon_as_it_ends) {
  const auto file = folder.path() / "talk.md";
  Result<ChatTranscript> transcript = ChatTranscript::open(file);
  ASSERT_TRUE(transcript);
  ASSERT_TRUE(transcript->add(exchange_of("leave?", answer)));
  EXPECT_THAT(text_of(file), AllOf(HasSubstr("leave?"), HasSubstr("30 days")));
  ASSERT_TRUE(transcript->add(exchange_of("more?", fail(ErrorCode::timeout, "too late"))));
  EXPECT_THAT(text_of(file), AllOf(HasSubstr("leave?"), HasSubstr("more?"), HasSubstr("failed: timeout: too late")));
}

TEST_F(ChatTranscriptTest, is_one_json_object_a_line_for_programs) {
  const auto file = folder.path() / "talk.jsonl";
  Result<ChatTranscript> transcript = ChatTranscript::open(file);
  ASSERT_TRUE(transcript);
  ASSERT_TRUE(transcript->add(exchange_of("leave?", answer)));
  ASSERT_TRUE(transcript->add(exchange_of("more?", answer)));
  std::ifstream in(file);
  for (const char* said : {"leave?", "more?"}) {
    std::string line;
    ASSERT_TRUE(std::getline(in, line));
    EXPECT_EQ(nlohmann::json::parse(line).at("task"), said);
  }
}

TEST_F(ChatTranscriptTest, refuses_other_endings_and_places_that_it_cannot_write) {
  const Result<ChatTranscript> other = ChatTranscript::open(folder.path() / "talk.pdf");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr(".md or .jsonl"));
  EXPECT_FALSE(ChatTranscript::open(folder.path() / "nowhere" / "talk.md"));
}

}  // namespace
}  // namespace parley::cli
