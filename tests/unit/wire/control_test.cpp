#include "libmsg/wire/control.hpp"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/messages/text.hpp"

namespace parley::wire {
namespace {

using namespace std::string_view_literals;

ByteBuffer raw(std::string_view bytes) {
  ByteBuffer out;
  out.append(bytes);
  return out;
}

Hello full_hello() {
  Hello hello;
  hello.version_max = 3;
  hello.name = "worker@host";
  hello.incarnation = 0xFEDCBA9876543210;
  hello.is_worker = true;
  hello.credit_bytes = 1 << 24;
  hello.types = {{"critic", 4, {"review", "translate"}, 10}};
  hello.subscriptions = {{7, "orders.", true, "critic"}};
  hello.activations = {{"critic/alice", (std::uint64_t{3} << 32) | 9}};
  hello.is_last = false;
  return hello;
}

// [P-CTL-1]
TEST(ControlBody, hello_reads_back) {
  const Hello sent = full_hello();
  const auto got = decode_body<Hello>(encode_body(sent).bytes());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->version_max, sent.version_max);
  EXPECT_EQ(got->name, sent.name);
  EXPECT_EQ(got->incarnation, sent.incarnation);
  EXPECT_TRUE(got->is_worker);
  EXPECT_EQ(got->credit_bytes, sent.credit_bytes);
  EXPECT_EQ(got->types, sent.types);
  EXPECT_EQ(got->subscriptions, sent.subscriptions);
  EXPECT_EQ(got->activations, sent.activations);
  EXPECT_FALSE(got->is_last);
}

// [P-CTL-1]
TEST(ControlBody, is_a_map_from_field_name_to_value) {
  const auto body = decode_body<std::map<std::string, std::uint64_t>>(encode_body(SubscriptionId{9}).bytes());
  ASSERT_TRUE(body);
  EXPECT_EQ(*body, (std::map<std::string, std::uint64_t>{{"id", 9}}));
}

// [P-CTL-2]
TEST(ControlBody, missing_fields_take_their_defaults) {
  const auto hello = decode_body<Hello>(raw("\x80"sv).bytes());
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->version_min, 1U);
  EXPECT_TRUE(hello->is_last);
  EXPECT_FALSE(hello->is_worker);
  const auto welcome = decode_body<Welcome>(raw("\x80"sv).bytes());
  ASSERT_TRUE(welcome);
  EXPECT_EQ(welcome->heartbeat_ms, 1000U);
  EXPECT_EQ(welcome->session_timeout_ms, 3000U);
  EXPECT_EQ(welcome->max_payload_bytes, kMaxPayloadBytes);
}

// [P-CTL-3]
TEST(ControlBody, unknown_fields_of_a_newer_peer_are_ignored) {
  // {"id": 5, "colour": {"nested": [1, nil]}}
  const auto body = decode_body<SubscriptionId>(raw("\x82\xa2id\x05\xa6"
                                                    "colour\x81\xa6nested\x92\x01\xc0"sv)
                                                    .bytes());
  ASSERT_TRUE(body);
  EXPECT_EQ(body->id, 5U);
}

// [P-CTL-4]
TEST(ControlBody, of_the_wrong_shape_is_invalid) {
  for (std::string_view bytes : {""sv, "\xc0"sv, "\x05"sv, "\x90"sv, "\xc1"sv, "\x81\xa2id\xa1x"sv, "\x81\xa2id\xff"sv,
                                 "\x81\xa2id"sv, "\xa5hello"sv}) {
    const auto body = decode_body<SubscriptionId>(raw(bytes).bytes());
    ASSERT_FALSE(body) << testing::PrintToString(std::string(bytes));
    EXPECT_EQ(body.error().code, ErrorCode::invalid);
  }
}

// [P-CTL-4]
TEST(ControlBody, with_bytes_behind_its_end_is_invalid) {
  ByteBuffer body = encode_body(SubscriptionId{1});
  body.append("\x80"sv);
  EXPECT_FALSE(decode_body<SubscriptionId>(body.bytes()));
}

// [P-CTL-4]
TEST(ControlBody, cut_at_any_byte_is_invalid) {
  const ByteBuffer whole = encode_body(full_hello());
  for (std::size_t count = 0; count < whole.size(); ++count) {
    const std::vector<std::byte> part(whole.bytes().begin(),
                                      whole.bytes().begin() + static_cast<std::ptrdiff_t>(count));
    EXPECT_FALSE(decode_body<Hello>(part)) << count;
  }
}

// [P-LIM-8]
TEST(ControlBody, that_claims_endless_sizes_is_refused_before_memory_is_taken) {
  for (std::string_view bytes :
       {"\xdd\x05\xf5\xe1\x00"sv, "\xdd\xff\xff\xff\xff"sv, "\xdf\xff\xff\xff\xff"sv, "\xdb\xff\xff\xff\xff"sv,
        "\xc6\xff\xff\xff\xff"sv, "\xc9\xff\xff\xff\xff\x01"sv, "\xdd\x00\x01\x00\x01"sv}) {
    EXPECT_FALSE(decode_body<Hello>(raw(bytes).bytes()));
  }
}

// [P-LIM-8]
TEST(ControlBody, nested_deeper_than_32_is_invalid) {
  const auto nested = [](std::size_t depth) {
    return raw("\x82\xa1x" + std::string(depth - 1, '\x91') + "\xc0\xa2id\x05");
  };
  EXPECT_TRUE(decode_body<SubscriptionId>(nested(32).bytes()));
  EXPECT_FALSE(decode_body<SubscriptionId>(nested(33).bytes()));
  EXPECT_FALSE(decode_body<SubscriptionId>(nested(1'000'000).bytes()));
}

// [P-LIM-8]
TEST(ControlBody, lists_take_65536_entries_and_not_one_more) {
  std::vector<std::uint32_t> list(65'536);
  const auto as_list = [](const auto& values) {
    ByteBuffer out;
    msgpack::packer<ByteBuffer> packer(out);
    packer.pack_array(static_cast<std::uint32_t>(values.size()));
    for (auto value : values) packer.pack(value);
    return out;
  };
  EXPECT_TRUE(decode_body<std::vector<std::uint32_t>>(as_list(list).bytes()));
  list.push_back(0);
  EXPECT_FALSE(decode_body<std::vector<std::uint32_t>>(as_list(list).bytes()));
}

// [P-CTL-5]
TEST(ControlBody, numbers_out_of_their_range_are_invalid) {
  // version_min is u16: 70000 does not fit, -1 neither
  EXPECT_FALSE(decode_body<Hello>(raw("\x81\xabversion_min\xce\x00\x01\x11\x70"sv).bytes()));
  EXPECT_FALSE(decode_body<Hello>(raw("\x81\xabversion_min\xff"sv).bytes()));
}

// [P-MSG-1]
TEST(SharedMessage, survives_older_and_newer_peers) {
  const auto older = decode_body<messages::Answer>(raw("\x81\xa4text\xa2hi"sv).bytes());
  ASSERT_TRUE(older);
  EXPECT_EQ(older->text, "hi");
  EXPECT_FALSE(older->is_final);
  const auto newer = decode_body<messages::Text>(raw("\x82\xa4text\xa2hi\xa4mood\x01"sv).bytes());
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->text, "hi");
}

}  // namespace
}  // namespace parley::wire
