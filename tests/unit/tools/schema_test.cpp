#include "agents/tools/schema.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::tools {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> problems(const char* schema, const char* value) {
  Result<JsonSchema> made = JsonSchema::parse(schema);
  EXPECT_TRUE(made) << made.error().message;
  return made ? made->problems(json::parse(value)) : std::vector<std::string>();
}

constexpr const char* kBooking = R"({"type":"object","additionalProperties":false,"required":["city","nights"],
  "properties":{"city":{"type":"string","minLength":2},"nights":{"type":"integer","minimum":1,"maximum":30},
  "room":{"enum":["single","double"]},"guests":{"type":"array","items":{"$ref":"#/$defs/guest"}}},
  "$defs":{"guest":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}}})";

TEST(JsonSchema, takes_a_value_that_fits) {
  EXPECT_THAT(problems(kBooking, R"({"city":"Rome","nights":3,"room":"double","guests":[{"name":"Ada"}]})"), IsEmpty());
}

TEST(JsonSchema, tells_every_problem_with_its_place_and_what_was_expected) {
  EXPECT_THAT(problems(kBooking, R"({"citty":"Rome","nights":"3","room":"suite","guests":[{"name":"Ada"},{"nom":1}]})"),
              ElementsAre("'city' is missing",
                          "/citty: is not one of its members (city, guests, nights, room); did you mean 'city'?",
                          "/guests/1: 'name' is missing", "/nights: expected integer, got \"3\"",
                          "/room: expected one of \"single\", \"double\", got \"suite\""));
}

TEST(JsonSchema, shows_at_most_eight_problems_and_a_piece_of_a_long_value) {
  EXPECT_EQ(problems(R"({"items":{"type":"null"}})", "[1,2,3,4,5,6,7,8,9,10]").size(), 8U);
  const std::string value = "\"" + std::string(500, 'x') + "\"";
  EXPECT_LT(problems(R"({"type":"integer"})", value.c_str()).at(0).size(), 150U);
}

TEST(JsonSchema, refuses_what_is_no_schema_and_what_refers_to_the_outside) {
  for (const char* text : {"", "[]", "{", R"({"$ref":"https://example.org/schema.json"})",
                           R"({"properties":{"a":{"$ref":"#/$defs/missing"}}})"}) {
    EXPECT_FALSE(JsonSchema::parse(text)) << text;
  }
}

TEST(JsonSchema, ends_with_references_in_a_circle_and_with_branches_without_end) {
  EXPECT_THAT(problems(R"({"$ref":"#"})", "1"), ElementsAre(HasSubstr("too complex")));
  EXPECT_THAT(problems(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]})", "1"),
              ElementsAre(HasSubstr("too complex")));
}

TEST(JsonSchema, matches_patterns_of_long_text_in_linear_time_and_ignores_those_that_re2_does_not_know) {
  const std::string value = "\"" + std::string(300'000, 'a') + "\"";
  EXPECT_THAT(problems(R"({"pattern":"^(a|aa)+$"})", value.c_str()), IsEmpty());
  EXPECT_THAT(problems(R"({"pattern":"^(a+)+b$"})", value.c_str()),
              ElementsAre(HasSubstr("expected text that matches")));
  EXPECT_THAT(problems(R"({"pattern":"(?=x)y"})", "\"z\""), IsEmpty());
}

/// Files of the official suite whose keywords are enforced; cases that need more are named.
TEST(JsonSchema, agrees_with_the_official_test_suite_of_draft_7) {
  const std::filesystem::path folder = "/usr/share/json-schema-test-suite/tests/draft7";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs Debian's package json-schema-test-suite";
  std::size_t cases = 0;
  for (const char* name : {"additionalItems",
                           "additionalProperties",
                           "allOf",
                           "anyOf",
                           "boolean_schema",
                           "const",
                           "dependencies",
                           "enum",
                           "exclusiveMaximum",
                           "exclusiveMinimum",
                           "if-then-else",
                           "items",
                           "maxItems",
                           "maxLength",
                           "maxProperties",
                           "maximum",
                           "minItems",
                           "minLength",
                           "minProperties",
                           "minimum",
                           "multipleOf",
                           "not",
                           "oneOf",
                           "pattern",
                           "patternProperties",
                           "properties",
                           "propertyNames",
                           "required",
                           "type",
                           "uniqueItems"}) {
    std::ifstream in(folder / (std::string(name) + ".json"));
    const json groups = json::parse(in);
    for (const json& group : groups) {
      Result<JsonSchema> schema = JsonSchema::make(group["schema"]);
      ASSERT_TRUE(schema) << name << ": " << group["description"] << ": " << schema.error().message;
      for (const json& test : group["tests"]) {
        ++cases;
        EXPECT_EQ(schema->problems(test["data"]).empty(), test["valid"].get<bool>())
            << name << ": " << group["description"] << ": " << test["description"];
      }
    }
  }
  EXPECT_GT(cases, 350U);
}

}  // namespace
}  // namespace parley::tools
