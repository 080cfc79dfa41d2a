#include "services/cli/body.hpp"

#include <gtest/gtest.h>

#include "libmsg/messages/text.hpp"
#include "services/cli/payload_view.hpp"

namespace parley::cli {
namespace {

TEST(Body, plain_text_becomes_a_parley_text) {
  const auto payload = parse_body("hello there", {});
  ASSERT_TRUE(payload);
  EXPECT_EQ(from_payload<messages::Text>(*payload)->text, "hello there");
}

TEST(Body, surrounding_space_of_plain_text_goes) {
  EXPECT_EQ(from_payload<messages::Text>(*parse_body("  hello \n", {}))->text, "hello");
}

TEST(Body, a_json_object_is_read_as_the_fields_of_a_parley_text) {
  const auto payload = parse_body(R"({"text": "hi", "from": "alice"})", {});
  ASSERT_TRUE(payload);
  EXPECT_EQ(*from_payload<messages::Text>(*payload), (messages::Text{"hi", "alice"}));
}

TEST(Body, a_json_object_keeps_its_shape_under_another_type) {
  const auto payload = parse_body(R"({"id": 7, "tags": ["a", null], "price": 1.5})", {.type = "shop.Order"});
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->type, "shop.Order");
  EXPECT_EQ(payload_to_json(*payload), nlohmann::json::parse(R"({"id": 7, "tags": ["a", null], "price": 1.5})"));
}

TEST(Body, numbers_and_words_are_text_and_not_json) {
  EXPECT_EQ(from_payload<messages::Text>(*parse_body("42", {}))->text, "42");
  EXPECT_EQ(from_payload<messages::Text>(*parse_body("true", {}))->text, "true");
}

TEST(Body, a_json_string_is_the_text_within_the_quotes) {
  EXPECT_EQ(from_payload<messages::Text>(*parse_body(R"("a\nb")", {}))->text, "a\nb");
}

TEST(Body, broken_json_is_refused_and_not_sent_as_text) {
  const auto payload = parse_body(R"({"text": "hi")", {});
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code, ErrorCode::invalid);
  EXPECT_NE(payload.error().message.find("--text"), std::string::npos);
}

TEST(Body, anything_can_be_sent_as_text) {
  EXPECT_EQ(from_payload<messages::Text>(*parse_body("{not json", {.is_text = true}))->text, "{not json");
}

TEST(Body, an_array_needs_a_type) {
  EXPECT_FALSE(parse_body("[1, 2]", {}));
  EXPECT_EQ(payload_to_json(*parse_body("[1, 2]", {.type = "list"})), nlohmann::json::parse("[1, 2]"));
}

TEST(Body, plain_text_of_another_type_is_an_object_with_text) {
  const auto payload = parse_body("hello", {.type = "shop.Note"});
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->type, "shop.Note");
  EXPECT_EQ(payload_to_json(*payload), nlohmann::json({{"text", "hello"}}));
}

TEST(Body, refuses_nesting_that_no_receiver_would_read) {
  EXPECT_FALSE(parse_body(std::string(100'000, '['), {.type = "deep"}));
}

TEST(Body, brackets_within_strings_are_no_nesting) {
  const std::string text = R"({"text": ")" + std::string(100, '[') + R"("})";
  EXPECT_TRUE(parse_body(text, {}));
}

TEST(Body, refuses_a_type_name_that_the_wire_cannot_carry) {
  EXPECT_FALSE(parse_body("hello", {.type = std::string(129, 'x')}));
  EXPECT_FALSE(parse_body("hello", {.type = ""}));
}

}  // namespace
}  // namespace parley::cli
