#include "agents/kinds/structured_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::kinds {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

StructuredAnswer verdict() {
  return *StructuredAnswer::make("answer", ordered_json::parse(R"({
    "type":"object","required":["verdict"],
    "properties":{"verdict":{"enum":["APPROVE","REVISE"]},"comments":{"type":"array","items":{"type":"string"}}}})"));
}

TEST(StructuredAnswer, is_given_in_one_line_in_the_order_of_the_text) {
  EXPECT_EQ(*verdict().read("{\n \"verdict\" : \"REVISE\",\n \"comments\": [\"ö\"]}"),
            R"({"verdict":"REVISE","comments":["ö"]})");
}

TEST(StructuredAnswer, is_found_in_fences_and_prose) {
  const std::string json = R"({"verdict":"APPROVE"})";
  for (const std::string& text : {"```json\n" + json + "\n```", "Here it is:\n```\n" + json + "\n```\nEnjoy!",
                                  "My verdict is " + json + ", as you see.", "  " + json + "\n"}) {
    const Result<std::string> read = verdict().read(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, json);
  }
}

TEST(StructuredAnswer, that_does_not_fit_says_what_to_change) {
  const Result<std::string> read = verdict().read(R"({"verdict":"MAYBE"})");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("/verdict"));
}

TEST(StructuredAnswer, that_is_no_json_says_so) {
  for (const char* text : {"", "I approve.", "{\"verdict\":", "}{", "```", "```\n{"}) {
    const Result<std::string> read = verdict().read(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message, "the answer is not JSON");
  }
}

TEST(StructuredAnswer, tells_the_model_its_schema) {
  EXPECT_EQ(verdict().schema().name, "answer");
  EXPECT_THAT(verdict().schema().schema, HasSubstr(R"("required":["verdict"])"));
}

TEST(StructuredAnswer, needs_a_schema) { EXPECT_FALSE(StructuredAnswer::make("x", ordered_json::parse("[1]"))); }

StructuredAnswer assignment() {
  return *StructuredAnswer::make(
      "answer",
      ordered_json::parse(R"({"type":"object","properties":{"who":{"type":"string","enum":["{{members}}"]}}})"));
}

TEST(StructuredAnswer, allows_only_members_where_it_asks_for_one) {
  ASSERT_TRUE(assignment().has_members());
  const StructuredAnswer filled = assignment().for_members({"coder", "tester"});
  EXPECT_TRUE(filled.read(R"({"who":"tester"})"));
  EXPECT_FALSE(filled.read(R"({"who":"boss"})"));
  EXPECT_THAT(filled.schema().schema, HasSubstr(R"("enum":["coder","tester"])"));
}

TEST(StructuredAnswer, allows_every_name_where_nobody_is_a_member) {
  EXPECT_TRUE(assignment().for_members({}).read(R"({"who":"boss"})"));
}

TEST(StructuredAnswer, does_not_depend_on_members_unless_it_names_them) { EXPECT_FALSE(verdict().has_members()); }

}  // namespace
}  // namespace parley::kinds
