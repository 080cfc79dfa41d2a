#include "services/cli/payload_view.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <msgpack.hpp>

#include "libmsg/messages/text.hpp"

namespace parley::cli {
namespace {

using nlohmann::json;

template <class Pack>
Payload packed(Pack pack) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  pack(packer);
  return {"any", std::string(buffer.data(), buffer.size())};
}

TEST(PayloadView, texts_and_answers_are_shown_as_their_text) {
  EXPECT_EQ(payload_to_text(to_payload(messages::Text{"hi", "bob"})), "hi");
  EXPECT_EQ(payload_to_text(to_payload(messages::Answer{"hello", "hr", false, {}})), "hello");
  EXPECT_EQ(payload_to_text(to_payload(messages::TextPart{"hel", "hr"})), "hel");
}

TEST(PayloadView, other_types_are_shown_as_compact_json) {
  const Payload payload = to_payload(messages::Routed{"hr", "people", ""});
  EXPECT_EQ(payload_to_text(payload), R"({"agent_type":"hr","question":"","route":"people"})");
}

TEST(PayloadView, an_empty_reply_is_an_empty_text_and_null) {
  EXPECT_EQ(payload_to_text({}), "");
  EXPECT_EQ(payload_to_json({}), json(nullptr));
}

TEST(PayloadView, bytes_that_are_no_msgpack_are_shown_as_base64) {
  EXPECT_EQ(payload_to_json({"any", "\xc1"}), json({{"raw", "base64:wQ=="}}));
}

TEST(PayloadView, bytes_behind_a_value_are_not_hidden) {
  EXPECT_EQ(payload_to_json({"any", std::string("\x01\x02")}), json({{"raw", "base64:AQI="}}));
}

TEST(PayloadView, binary_fields_are_base64) {
  const Payload payload = packed([](auto& packer) {
    packer.pack_map(1);
    packer.pack("blob");
    packer.pack_bin(3);
    packer.pack_bin_body("abc", 3);
  });
  EXPECT_EQ(payload_to_json(payload), json({{"blob", "base64:YWJj"}}));
}

TEST(PayloadView, keys_that_are_no_text_become_text) {
  const Payload payload = packed([](auto& packer) {
    packer.pack_map(1);
    packer.pack(7);
    packer.pack(true);
  });
  EXPECT_EQ(payload_to_json(payload), json({{"7", true}}));
}

TEST(PayloadView, numbers_that_json_lacks_become_null) {
  const Payload payload = packed([](auto& packer) { packer.pack(std::numeric_limits<double>::quiet_NaN()); });
  EXPECT_EQ(payload_to_json(payload), json(nullptr));
}

TEST(PayloadView, nesting_beyond_the_bound_is_shown_as_bytes) {
  Payload payload{"any", std::string(100, '\x91')};
  payload.bytes += '\x01';
  EXPECT_TRUE(payload_to_json(payload).contains("raw"));
}

TEST(PayloadView, text_that_is_no_utf8_is_repaired) { EXPECT_NO_THROW((void)to_line(json("a\xff"))); }

TEST(Base64, pads_to_groups_of_four) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace parley::cli
