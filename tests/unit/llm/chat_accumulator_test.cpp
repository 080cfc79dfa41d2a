#include "agents/llm/chat_accumulator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::llm {
namespace {

using testing::HasSubstr;

ChatAccumulator accumulator() { return {{.host = "host:1", .model = "asked-model", .key_variable = "KEY"}, 50}; }

/// The completion of a stream of these chunks.
std::expected<Completion, ModelError> complete(const std::vector<std::string_view>& chunks) {
  ChatAccumulator answer = accumulator();
  for (const std::string_view chunk : chunks) {
    if (auto added = answer.add(chunk); !added) return std::unexpected(added.error());
  }
  return answer.finish();
}

constexpr std::string_view kStop = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";

TEST(ChatAccumulator, puts_the_pieces_of_the_text_together) {
  const auto completion = complete({R"({"choices":[{"delta":{"role":"assistant","content":""}}]})",
                                    R"({"choices":[{"delta":{"content":"Hel"}}]})",
                                    R"({"choices":[{"delta":{"content":"lo"}}]})", kStop, "[DONE]"});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->text, "Hello");
  EXPECT_EQ(completion->finish_reason, FinishReason::stop);
}

TEST(ChatAccumulator, returns_what_each_chunk_adds) {
  ChatAccumulator answer = accumulator();
  EXPECT_EQ(answer.add(R"({"choices":[{"delta":{"content":"a"}}]})"), "a");
  EXPECT_EQ(answer.add(R"({"choices":[{"delta":{"content":null}}]})"), "");
}

TEST(ChatAccumulator, accepts_choices_that_are_null_absent_or_empty) {
  EXPECT_TRUE(complete({R"({"choices":null})", R"({})", R"({"choices":[]})", kStop}));
}

TEST(ChatAccumulator, takes_usage_from_any_chunk_and_the_last_one_wins) {
  const auto completion =
      complete({R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}})", kStop,
                R"({"choices":null,"model":"answering-model","usage":{"prompt_tokens":9,"completion_tokens":5,
                    "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}})"});
  ASSERT_TRUE(completion);
  messages::Usage expected;
  expected.model = "answering-model";
  expected.input_tokens = 9;
  expected.output_tokens = 5;
  expected.cached_input_tokens = 4;
  expected.reasoning_tokens = 2;
  EXPECT_EQ(completion->usage, expected);
}

TEST(ChatAccumulator, estimates_and_says_so_when_usage_is_missing) {
  const auto completion = complete({R"({"choices":[{"delta":{"content":"12345678"}}],"usage":null})", kStop});
  ASSERT_TRUE(completion);
  EXPECT_TRUE(completion->usage.is_estimated);
  EXPECT_EQ(completion->usage.input_tokens, 50U);
  EXPECT_EQ(completion->usage.output_tokens, 2U);
  EXPECT_EQ(completion->usage.model, "asked-model");
}

TEST(ChatAccumulator, estimates_when_usage_is_nonsense) {
  const auto completion = complete({kStop, R"({"usage":{"prompt_tokens":-3,"completion_tokens":"many"}})"});
  ASSERT_TRUE(completion);
  EXPECT_TRUE(completion->usage.is_estimated);
}

TEST(ChatAccumulator, accepts_content_and_finish_reason_in_one_chunk) {
  const auto completion = complete({R"({"choices":[{"delta":{"content":"x"},"finish_reason":"length"}]})"});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->text, "x");
  EXPECT_EQ(completion->finish_reason, FinishReason::length);
}

TEST(ChatAccumulator, accepts_done_without_a_finish_reason) {
  const auto completion = complete({R"({"choices":[{"delta":{"content":"x"},"finish_reason":null}]})", "[DONE]"});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->finish_reason, FinishReason::unknown);
}

TEST(ChatAccumulator, calls_an_answer_with_tool_calls_a_tool_turn_whatever_the_finish_reason) {
  const auto completion = complete({R"({"choices":[{"delta":{"tool_calls":[{"id":"1"}]}}]})", kStop});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->finish_reason, FinishReason::tool_calls);
}

TEST(ChatAccumulator, collects_tool_calls_beside_the_text) {
  const auto completion = complete(
      {R"({"choices":[{"delta":{"content":"Let me see."}}]})",
       R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"sql","arguments":"{\"q\":"}}]}}]})",
       R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]})"});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->text, "Let me see.");
  EXPECT_THAT(completion->tool_calls, testing::ElementsAre(messages::ToolCall{"c1", "sql", R"({"q":1})"}));
}

TEST(ChatAccumulator, estimates_what_tool_calls_and_thoughts_cost) {
  const auto completion = complete(
      {R"({"choices":[{"delta":{"reasoning_content":"12345678"}}]})",
       R"({"choices":[{"delta":{"tool_calls":[{"id":"c1","function":{"name":"abcd","arguments":"{  }"}}]}}]})", kStop});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->usage.reasoning_tokens, 2U);
  EXPECT_EQ(completion->usage.output_tokens, 4U);
}

TEST(ChatAccumulator, keeps_thoughts_out_of_the_text) {
  const auto completion = complete({R"({"choices":[{"delta":{"reasoning_content":"hm","reasoning":"hm"}}]})",
                                    R"({"choices":[{"delta":{"content":"Yes."}}]})", kStop});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->text, "Yes.");
}

TEST(ChatAccumulator, refuses_an_answer_with_too_many_tool_calls) {
  std::string pieces;
  for (std::size_t i = 0; i <= ToolCallAccumulator::kMaxCalls; ++i) {
    pieces += (i == 0 ? "" : ",") + std::string(R"({"index":)") + std::to_string(i) + "}";
  }
  const auto completion = complete({R"({"choices":[{"delta":{"tool_calls":[)" + pieces + "]}}]}"});
  ASSERT_FALSE(completion);
  EXPECT_THAT(completion.error().error.message, HasSubstr("more than 256 tools"));
  EXPECT_FALSE(completion.error().error.retryable);
}

TEST(ChatAccumulator, keeps_to_the_first_of_several_choices) {
  const auto completion =
      complete({R"({"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]})", kStop});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->text, "a");
}

TEST(ChatAccumulator, shows_a_refusal_as_text) {
  const auto completion = complete({R"({"choices":[{"delta":{"content":null,"refusal":"I will not."}}]})", kStop});
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->text, "I will not.");
  EXPECT_EQ(completion->finish_reason, FinishReason::content_filter);
}

TEST(ChatAccumulator, calls_an_answer_without_an_end_cut_off_and_counts_its_text) {
  const auto completion = complete({R"({"choices":[{"delta":{"content":"12345678"}}]})"});
  ASSERT_FALSE(completion);
  EXPECT_EQ(completion.error().error.code, ErrorCode::upstream_failed);
  EXPECT_TRUE(completion.error().error.retryable);
  EXPECT_THAT(completion.error().error.message,
              HasSubstr("'asked-model' at host:1 broke its answer off after 8 bytes"));
  ASSERT_TRUE(completion.error().usage);
  EXPECT_EQ(completion.error().usage->output_tokens, 2U);
  EXPECT_TRUE(completion.error().usage->is_estimated);
}

TEST(ChatAccumulator, ends_with_the_error_that_arrives_in_mid_stream) {
  const auto completion = complete({R"({"choices":[{"delta":{"content":"x"}}]})",
                                    R"({"error":{"message":"GPU on fire","type":"server_error","code":null}})"});
  ASSERT_FALSE(completion);
  EXPECT_EQ(completion.error().error.code, ErrorCode::upstream_failed);
  EXPECT_THAT(completion.error().error.message, HasSubstr("GPU on fire"));
  EXPECT_TRUE(completion.error().usage);
}

TEST(ChatAccumulator, knows_quota_and_rate_errors_in_mid_stream) {
  const auto quota = complete({R"({"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}})"});
  const auto rate = complete({R"({"error":{"message":"m","type":"rate_limit_error"}})"});
  EXPECT_EQ(quota.error().error.code, ErrorCode::budget_exceeded);
  EXPECT_EQ(rate.error().error.code, ErrorCode::overloaded);
}

TEST(ChatAccumulator, refuses_what_is_not_a_json_object) {
  for (const std::string_view data : {"", "{", "[]", "1", "\"x\"", "<html>", "{\"a\":\"\xFF\"}"}) {
    const auto completion = complete({data});
    ASSERT_FALSE(completion) << data;
    EXPECT_EQ(completion.error().error.code, ErrorCode::upstream_failed);
  }
}

TEST(ChatAccumulator, refuses_values_nested_too_deeply) {
  EXPECT_FALSE(complete({R"({"choices":)" + std::string(100'000, '[')}));
}

TEST(ChatAccumulator, ignores_members_of_unexpected_types) {
  EXPECT_TRUE(
      complete({R"({"choices":[1,null,[],{"delta":7},{"index":"0","delta":{"content":{"a":1}}}],"model":5})", kStop}));
}

TEST(ChatAccumulator, reads_an_answer_that_was_not_streamed) {
  ChatAccumulator answer = accumulator();
  const auto text = answer.add_whole(
      R"({"choices":[{"message":{"content":"Hi"},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":2}})");
  EXPECT_EQ(text, "Hi");
  const auto completion = answer.finish();
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->usage.output_tokens, 2U);
}

TEST(ChatAccumulator, finds_no_answer_in_some_other_json) {
  ChatAccumulator answer = accumulator();
  ASSERT_TRUE(answer.add_whole(R"({"status":"ok"})"));
  const auto completion = answer.finish();
  ASSERT_FALSE(completion);
  EXPECT_FALSE(completion.error().error.retryable);
  EXPECT_THAT(completion.error().error.message, HasSubstr("base URL"));
}

}  // namespace
}  // namespace parley::llm
