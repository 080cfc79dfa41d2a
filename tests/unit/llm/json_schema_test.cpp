#include "agents/llm/json_schema.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace parley::llm {
namespace {

using nlohmann::json;

json sample(const char* schema) { return sample_of_schema(json::parse(schema)); }

TEST(JsonSchema, takes_what_is_no_object_for_any_object) {
  EXPECT_EQ(parse_schema("no JSON"), json::parse(R"({"type":"object"})"));
  EXPECT_EQ(parse_schema("[1]"), json::parse(R"({"type":"object"})"));
  EXPECT_EQ(parse_schema(R"({"type":"string"})"), json::parse(R"({"type":"string"})"));
}

TEST(JsonSchema, is_strict_when_every_object_requires_all_and_forbids_others) {
  EXPECT_TRUE(is_strict_schema(json::parse(
      R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false})")));
  EXPECT_FALSE(is_strict_schema(
      json::parse(R"({"type":"object","properties":{"a":{}},"required":[],"additionalProperties":false})")));
  EXPECT_FALSE(is_strict_schema(json::parse(R"({"type":"object","properties":{"a":{}},"required":["a"]})")));
  EXPECT_FALSE(is_strict_schema(json::parse(
      R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}},"required":["a"],
          "additionalProperties":false})")));
}

TEST(SchemaSample, has_what_is_required_and_no_more) {
  EXPECT_EQ(sample(R"({"type":"object","required":["a","b","c","d","e","f","g"],"properties":{
      "a":{"type":"string"},"b":{"type":"integer","minimum":3},"c":{"type":"boolean"},"d":{"enum":["x","y"]},
      "e":{"type":"array","items":{"const":7},"minItems":2},"f":{"type":["null","string"]},
      "g":{"$ref":"#/$defs/g"},"h":{"type":"string"}},"$defs":{"g":{"default":"G"}}})"),
            json::parse(R"({"a":"","b":3,"c":false,"d":"x","e":[7,7],"f":null,"g":"G"})"));
}

TEST(SchemaSample, ends_although_a_schema_refers_to_itself_or_grows_without_bound) {
  EXPECT_TRUE(sample(R"({"type":"object","required":["a"],"properties":{"a":{"$ref":"#"}}})").is_object());
  EXPECT_TRUE(sample(R"({"type":"array","minItems":99999,"items":{"$ref":"#"}})").is_array());
  EXPECT_TRUE(sample(R"({"anyOf":[{"$ref":"#"}]})").is_null());
  EXPECT_EQ(sample(R"({"$ref":"#/a~5"})"), "");
}

}  // namespace
}  // namespace parley::llm
