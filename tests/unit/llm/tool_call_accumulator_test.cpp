#include "agents/llm/tool_call_accumulator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace parley::llm {
namespace {

using messages::ToolCall;
using nlohmann::json;
using testing::ElementsAre;

std::vector<ToolCall> calls_of(const std::vector<const char*>& pieces) {
  ToolCallAccumulator calls;
  for (const char* piece : pieces) EXPECT_TRUE(calls.add(json::parse(piece)));
  return calls.calls("made-up");
}

TEST(ToolCallAccumulator, puts_the_arguments_of_a_call_together) {
  EXPECT_THAT(
      calls_of({R"({"index":0,"id":"c1","type":"function","function":{"name":"add","arguments":""}})",
                R"({"index":0,"function":{"arguments":"{\"a\":"}})", R"({"index":0,"function":{"arguments":"1}"}})"}),
      ElementsAre(ToolCall{"c1", "add", R"({"a":1})"}));
}

TEST(ToolCallAccumulator, keeps_interleaved_calls_apart_by_index) {
  EXPECT_THAT(calls_of({R"({"index":0,"id":"c1","function":{"name":"a","arguments":"{"}})",
                        R"({"index":1,"id":"c2","function":{"name":"b","arguments":"["}})",
                        R"({"index":0,"function":{"arguments":"}"}})", R"({"index":1,"function":{"arguments":"]"}})"}),
              ElementsAre(ToolCall{"c1", "a", "{}"}, ToolCall{"c2", "b", "[]"}));
}

TEST(ToolCallAccumulator, starts_a_new_call_at_a_new_id_on_the_same_index) {
  EXPECT_THAT(calls_of({R"({"index":0,"id":"c1","function":{"name":"a","arguments":"{}"}})",
                        R"({"index":0,"id":"c2","function":{"name":"a","arguments":"{"}})",
                        R"({"index":0,"function":{"arguments":"}"}})"}),
              ElementsAre(ToolCall{"c1", "a", "{}"}, ToolCall{"c2", "a", "{}"}));
}

TEST(ToolCallAccumulator, goes_by_the_id_when_there_is_no_index) {
  EXPECT_THAT(calls_of({R"({"id":"c1","function":{"name":"a","arguments":"{"}})",
                        R"({"id":"c2","function":{"name":"b","arguments":"{}"}})",
                        R"({"id":"c1","function":{"arguments":"}"}})"}),
              ElementsAre(ToolCall{"c1", "a", "{}"}, ToolCall{"c2", "b", "{}"}));
}

TEST(ToolCallAccumulator, continues_the_last_call_when_there_is_neither_until_another_function_is_named) {
  EXPECT_THAT(calls_of({R"({"function":{"name":"a","arguments":"{"}})", R"({"function":{"arguments":"}"}})",
                        R"({"function":{"name":"b","arguments":"{}"}})"}),
              ElementsAre(ToolCall{"made-up_1", "a", "{}"}, ToolCall{"made-up_2", "b", "{}"}));
}

TEST(ToolCallAccumulator, accepts_an_id_that_is_repeated_empty_or_late) {
  EXPECT_THAT(calls_of({R"({"index":0,"id":"c1","function":{"name":"a","arguments":"{"}})",
                        R"({"index":0,"id":"c1","function":{"name":"a","arguments":" "}})",
                        R"({"index":0,"id":"","function":{"name":null,"arguments":"}"}})"}),
              ElementsAre(ToolCall{"c1", "a", "{ }"}));
  EXPECT_THAT(calls_of({R"({"index":0,"function":{"name":"a"}})", R"({"index":0,"id":"c1"})"}),
              ElementsAre(ToolCall{"c1", "a", ""}));
}

TEST(ToolCallAccumulator, accepts_arguments_as_an_object) {
  EXPECT_THAT(calls_of({R"({"id":"c1","function":{"name":"a","arguments":{"x":1}}})"}),
              ElementsAre(ToolCall{"c1", "a", R"({"x":1})"}));
}

TEST(ToolCallAccumulator, takes_each_whole_call_for_itself) {
  ToolCallAccumulator calls;
  EXPECT_TRUE(calls.add_whole(json::parse(R"({"function":{"name":"a","arguments":"{}"}})")));
  EXPECT_TRUE(calls.add_whole(json::parse(R"({"function":{"name":"a","arguments":"{}"}})")));
  EXPECT_THAT(calls.calls("x"), ElementsAre(ToolCall{"x_1", "a", "{}"}, ToolCall{"x_2", "a", "{}"}));
}

TEST(ToolCallAccumulator, refuses_more_calls_than_any_model_means) {
  ToolCallAccumulator calls;
  for (std::size_t i = 0; i < ToolCallAccumulator::kMaxCalls; ++i) EXPECT_TRUE(calls.add({{"index", i}}));
  EXPECT_FALSE(calls.add({{"index", ToolCallAccumulator::kMaxCalls}}));
}

TEST(ToolCallAccumulator, ignores_what_has_another_shape) {
  ToolCallAccumulator calls;
  for (const char* piece : {"null", "5", "[]", R"({"index":"0","id":7,"function":"f"})"}) {
    EXPECT_TRUE(calls.add(json::parse(piece)));
  }
}

}  // namespace
}  // namespace parley::llm
