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

TEST(JsonSchema, matches_patterns_of_long_text_in_linear_time) {
  const std::string value = "\"" + std::string(300'000, 'a') + "\"";
  EXPECT_THAT(problems(R"({"pattern":"^(a|aa)+$"})", value.c_str()), IsEmpty());
  EXPECT_THAT(problems(R"({"pattern":"^(a+)+b$"})", value.c_str()),
              ElementsAre(HasSubstr("expected text that matches")));
}

TEST(JsonSchema, keeps_the_conditions_that_generators_put_in_front_of_a_pattern) {
  constexpr const char* kAddress = R"({"pattern":"^(?!\\.)(?!.*\\.\\.)([a-z.]+)@([a-z]+\\.)+[a-z]{2,}$"})";
  EXPECT_THAT(problems(kAddress, R"("ada.lovelace@example.org")"), IsEmpty());
  EXPECT_THAT(problems(kAddress, R"(".ada@example.org")"), ElementsAre(HasSubstr("expected text that matches")));
  EXPECT_THAT(problems(kAddress, R"("ada..l@example.org")"), ElementsAre(HasSubstr("expected text that matches")));
  constexpr const char* kPassword = R"({"pattern":"^(?=.*[A-Z])(?=.*\\d).{8,}$"})";
  EXPECT_THAT(problems(kPassword, R"("longEnough1")"), IsEmpty());
  EXPECT_EQ(problems(kPassword, R"("longenough1")").size(), 1U);
  EXPECT_EQ(problems(kPassword, R"("short1A")").size(), 1U);
  EXPECT_THAT(problems(R"({"pattern":"^(?<year>\\u0032\\d{3})$"})", R"("2026")"), IsEmpty());
}

std::string refusal(const char* schema) {
  const Result<JsonSchema> made = JsonSchema::parse(schema);
  return made ? "" : made.error().message;
}

TEST(JsonSchema, refuses_what_it_could_not_enforce_and_says_where) {
  EXPECT_EQ(refusal(R"({"properties":{"n":{"minimum":"3"}}})"), "/properties/n/minimum: expected a number");
  EXPECT_THAT(refusal(R"({"items":{"type":"strng"}})"), HasSubstr("/items/type: expected one or several of array"));
  EXPECT_THAT(refusal(R"x({"anyOf":[{"pattern":"a(?=b)"}]})x"), HasSubstr("/anyOf/0/pattern: 'a(?=b)' cannot be"));
  EXPECT_THAT(refusal(R"({"patternProperties":{"(a)\\1":true}})"), HasSubstr("/patternProperties/"));
  EXPECT_THAT(refusal(R"({"required":true})"), HasSubstr("/required: expected a list of names"));
  EXPECT_THAT(refusal(R"({"properties":{"a":[]}})"), HasSubstr("/properties/a: expected a schema"));
  EXPECT_THAT(refusal(R"({"$ref":"#/x","x":{"minItems":-1}})"), HasSubstr("#/x/minItems: expected a number that is"));
  EXPECT_THAT(refusal(R"({"$defs":{"a":{"$id":"a"}},"$dynamicRef":"#b"})"), HasSubstr("across several"));
  EXPECT_THAT(refusal(R"({"$schema":"http://json-schema.org/draft-03/schema#"})"), HasSubstr("drafts before"));
  EXPECT_EQ(refusal(R"({"properties":{"$ref":{"type":"string"},"pattern":{}},"const":{"minimum":"x"},"x-new":1})"), "")
      << "properties and values may have the names of keywords, and unknown keywords are annotations";
}

TEST(JsonSchema, counts_the_items_that_contains_wants) {
  constexpr const char* kSchema = R"({"contains":{"type":"string"},"minContains":2,"maxContains":3})";
  EXPECT_THAT(problems(kSchema, R"(["a",1,"b"])"), IsEmpty());
  EXPECT_THAT(problems(kSchema, R"(["a",1])"),
              ElementsAre("expected at least 2 items that fit `contains`, got 1; /1: expected string, got 1"));
  EXPECT_THAT(problems(kSchema, R"(["a","b","c","d"])"),
              ElementsAre("expected at most 3 items that fit `contains`, got 4"));
  EXPECT_THAT(problems(R"({"contains":{"type":"string"},"minContains":0})", "[]"), IsEmpty());
  EXPECT_EQ(problems(R"({"contains":true})", "[]").size(), 1U);
}

TEST(JsonSchema, lets_unevaluated_keywords_see_through_references_and_combinations) {
  constexpr const char* kSchema = R"({"$ref":"#base","unevaluatedProperties":false,
    "properties":{"a":true},"anyOf":[{"properties":{"b":{"const":1}},"required":["b"]},{"properties":{"c":true}}],
    "if":{"required":["d"]},"then":{"properties":{"d":true,"e":true}},
    "$defs":{"base":{"$anchor":"base","properties":{"z":true}}}})";
  EXPECT_THAT(problems(kSchema, R"({"a":1,"b":1,"c":1,"d":1,"e":1,"z":1})"), IsEmpty());
  EXPECT_THAT(problems(kSchema, R"({"a":1,"e":1})"), ElementsAre(HasSubstr("/e: is not one of its members")));
  EXPECT_THAT(problems(kSchema, R"({"b":2})"), ElementsAre(HasSubstr("/b: is not one of its members")))
      << "an alternative that does not fit has looked at nothing";
  EXPECT_THAT(problems(R"({"not":{"not":{"properties":{"a":true}}},"unevaluatedProperties":false})", R"({"a":1})"),
              ElementsAre(HasSubstr("/a: is not")));
  constexpr const char* kList = R"({"prefixItems":[true],"contains":{"type":"string"},
    "unevaluatedItems":{"type":"null"}})";
  EXPECT_THAT(problems(kList, R"([1,"a",null,"b"])"), IsEmpty());
  EXPECT_THAT(problems(kList, R"([1,"a",2])"), ElementsAre("/2: expected null, got 2"));
  EXPECT_THAT(problems(R"({"allOf":[{"items":{"type":"integer"}}],"unevaluatedItems":false})", "[1,2]"), IsEmpty());
}

TEST(JsonSchema, follows_anchors_and_ids_of_its_own) {
  constexpr const char* kTree = R"({"$id":"https://example.org/tree","$dynamicAnchor":"node","type":"object",
    "properties":{"children":{"type":"array","items":{"$dynamicRef":"#node"}}},"additionalProperties":false})";
  EXPECT_THAT(problems(kTree, R"({"children":[{"children":[]}]})"), IsEmpty());
  EXPECT_THAT(problems(kTree, R"({"children":[{"childs":[]}]})"), ElementsAre(HasSubstr("/children/0/childs: is not")));
  constexpr const char* kParts = R"({"$id":"https://example.org/root","properties":{"a":{"$ref":"part#/$defs/n"},
    "b":{"$ref":"https://example.org/root#/$defs/t"},"c":{"$ref":"#old"}},
    "$defs":{"p":{"$id":"part","$ref":"#/$defs/n","$defs":{"n":{"type":"number"}}},"t":{"type":"string"},
             "o":{"$id":"#old","type":"null"}}})";
  EXPECT_THAT(problems(kParts, R"({"a":1,"b":"x","c":null})"), IsEmpty());
  EXPECT_EQ(problems(kParts, R"({"a":"x","b":1,"c":1})").size(), 3U);
}

TEST(JsonSchema, counts_as_not_fitting_when_it_runs_out_of_steps_where_a_problem_would_be_wanted) {
  EXPECT_THAT(problems(R"({"not":{"allOf":[{"$ref":"#/$defs/x"}]},"$defs":{"x":{"$ref":"#/$defs/x"}}})", "1"),
              ElementsAre(HasSubstr("too complex")));
}

TEST(JsonSchema, knows_the_exclusive_limits_of_draft_4) {
  EXPECT_EQ(problems(R"({"minimum":1,"exclusiveMinimum":true})", "1").size(), 1U);
  EXPECT_THAT(problems(R"({"minimum":1,"exclusiveMinimum":false})", "1"), IsEmpty());
}

/// Cases that need other rules: of files that are fetched, which never happens; of the draft, in which keywords beside
/// `$ref` did not count; and of URIs, which are compared as they are written.
bool needs_other_rules(const std::string& file, const std::string& group) {
  return file == "ref" &&
         (group == "remote ref, containing refs itself" || group == "ref overrides any sibling keywords" ||
          group == "Recursive references between schemas");
}

/// Debian's package has the suite up to draft 7.
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
                           "contains",
                           "default",
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
                           "ref",
                           "required",
                           "type",
                           "uniqueItems"}) {
    std::ifstream in(folder / (std::string(name) + ".json"));
    const json groups = json::parse(in);
    for (const json& group : groups) {
      if (needs_other_rules(name, group["description"])) continue;
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
