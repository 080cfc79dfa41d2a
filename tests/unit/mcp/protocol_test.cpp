#include "agents/mcp/protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/mcp/base64.hpp"
#include "agents/mcp/elicitation.hpp"

namespace parley::mcp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(Base64, is_that_of_the_standard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  for (const char* text : {"", "f", "fo", "foo", "\xFF\xFE\x00"}) EXPECT_EQ(bytes_of_base64(base64(text)), text);
  EXPECT_EQ(bytes_of_base64("Zg"), "f");
  EXPECT_FALSE(bytes_of_base64("Z!"));
}

TEST(Request, says_version_client_and_capabilities_in_the_modern_era_only) {
  const Json modern = make_request(7, "tools/list", Json::object(), Era::modern);
  const Json& meta = modern["params"]["_meta"];
  EXPECT_EQ(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
  EXPECT_EQ(meta["io.modelcontextprotocol/clientInfo"]["name"], "parley");
  EXPECT_TRUE(meta["io.modelcontextprotocol/clientCapabilities"].is_object());
  EXPECT_EQ(modern["id"], 7);
  EXPECT_FALSE(make_request(7, "tools/list", Json::object(), Era::legacy)["params"].contains("_meta"));
}

TEST(Discovery, takes_every_error_but_a_modern_one_for_the_word_of_an_old_server) {
  EXPECT_EQ(discovery_of(Json::parse(R"({"result":{"supportedVersions":["2026-07-28"]}})")), Discovery::modern);
  for (const int code : {-32601, -32602, -32600, -32000, 0}) {
    EXPECT_EQ(discovery_of({{"error", {{"code", code}, {"message", "x"}}}}), Discovery::legacy) << code;
  }
  EXPECT_EQ(discovery_of(Json::parse(R"({"error":{"code":-32022,"data":{"supported":["2026-07-28"]}}})")),
            Discovery::modern);
  EXPECT_EQ(discovery_of(Json::parse(R"({"error":{"code":-32022,"data":{"supported":["2025-06-18"]}}})")),
            Discovery::legacy);
  EXPECT_EQ(discovery_of(Json::parse(R"({"error":{"code":-32022,"data":{"supported":["2031-01-01"]}}})")),
            Discovery::no_version);
  EXPECT_EQ(discovery_of(Json::parse(R"({"error":{"code":-32020}})")), Discovery::modern);
  EXPECT_EQ(discovery_of(Json::parse(R"({"result":{}})")), Discovery::legacy);
  EXPECT_EQ(discovery_of(Json::parse("{}")), Discovery::legacy);
}

ToolPage page_of(const char* schema) {
  const Json tool = {{"name", "t"}, {"inputSchema", Json::parse(schema)}};
  return tool_page_of({{"tools", {tool}}}).value();
}

TEST(ToolList, has_the_tools_the_next_page_and_how_long_it_is_good) {
  const auto page = tool_page_of(Json::parse(
      R"({"tools":[{"name":"a.b","title":"A","inputSchema":{"type":"object"}},{"name":"no schema"},{}],"nextCursor":"2","ttlMs":5000})"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->tools.at(0).name, "a.b");
  EXPECT_EQ(page->tools.at(0).description, "A");
  EXPECT_EQ(page->next_cursor, "2");
  EXPECT_EQ(page->ttl_ms, 5000U);
  EXPECT_EQ(page->dropped.size(), 2U);
  EXPECT_FALSE(tool_page_of(Json::parse("{}")));
}

TEST(HeaderParameters, are_found_along_properties_only) {
  const ToolPage page = page_of(
      R"({"type":"object","properties":{"where":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}},
          "n":{"type":"integer","x-mcp-header":"N"}}})");
  ASSERT_EQ(page.tools.size(), 1U);
  const auto values = header_values(page.tools[0].headers, Json::parse(R"({"where":{"region":"us"},"n":3})"));
  EXPECT_THAT(values, testing::UnorderedElementsAre(Pair("Mcp-Param-Region", "us"), Pair("Mcp-Param-N", "3")));
  EXPECT_THAT(header_values(page.tools[0].headers, Json::parse(R"({"where":7})")), IsEmpty());
}

TEST(HeaderParameters, that_break_a_rule_cost_the_tool) {
  for (const char* schema : {
           R"({"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}})",
           R"({"properties":{"a":{"anyOf":[{"type":"string","x-mcp-header":"A"}]}}})",
           R"({"properties":{"a":{"type":"number","x-mcp-header":"A"}}})",
           R"({"properties":{"a":{"type":"string","x-mcp-header":"A B"}}})",
           R"({"properties":{"a":{"type":"string","x-mcp-header":""}}})",
           R"({"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}})",
       }) {
    EXPECT_THAT(page_of(schema).dropped.size(), 1U) << schema;
  }
  EXPECT_THAT(page_of(R"({"properties":{"x-mcp-header":{"type":"string"}}})").dropped, IsEmpty())
      << "a property may have this name";
}

TEST(HeaderText, is_plain_when_it_can_be) {
  EXPECT_EQ(header_text("us-west1"), "us-west1");
  EXPECT_EQ(header_text("a b"), "a b");
  EXPECT_EQ(header_text(" a"), "=?base64?IGE=?=");
  EXPECT_EQ(header_text("ü"), "=?base64?w7w=?=");
  EXPECT_EQ(header_text("a\r\nX: y"), "=?base64?YQ0KWDogeQ==?=");
  EXPECT_EQ(header_text("=?base64?x?="), "=?base64?PT9iYXNlNjQ/eD89?=");
  EXPECT_EQ(header_text(""),
            "=?base64?"
            "?=");
}

TEST(ToolCallResult, becomes_text_and_files) {
  const auto result = tool_result_of(Json::parse(R"({"isError":true,"content":[{"type":"text","text":"a"},
    {"type":"image","mimeType":"image/png","data":"aGVsbG8="},{"type":"audio","data":"!"},
    {"type":"resource","resource":{"uri":"u","text":"t"}},{"type":"resource_link","name":"n","uri":"v"},{"type":"new"}]})"));
  EXPECT_TRUE(result.is_error);
  EXPECT_EQ(result.content,
            "a\n[image of image/png, 5 bytes, kept as a file]\n[audio that cannot be read]\nu:\nt\n[n](v)\n"
            "[content of an unknown type]");
  ASSERT_EQ(result.files.size(), 1U);
  EXPECT_EQ(result.files[0].bytes, "hello");
  EXPECT_EQ(tool_result_of(Json::parse(R"({"structuredContent":{"a":1}})")).content, R"({"a":1})");
  EXPECT_EQ(tool_result_of(Json::parse("[]")).content, "");
}

TEST(Elicitation, reads_a_persons_text_as_the_fields_type) {
  EXPECT_EQ(field_value({{"type", "integer"}}, "7"), Json(7));
  EXPECT_FALSE(field_value({{"type", "integer"}}, "7.5"));
  EXPECT_FALSE(field_value({{"type", "number"}}, "seven"));
  EXPECT_EQ(field_value({{"type", "boolean"}}, "true"), Json(true));
  EXPECT_EQ(field_value({{"type", "string"}}, "7"), Json("7"));
}

}  // namespace
}  // namespace parley::mcp
