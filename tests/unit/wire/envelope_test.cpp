#include "libmsg/wire/envelope.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/unit/wire/sample_envelope.hpp"

namespace parley::wire {
namespace {

ErrorCode parse_error(const std::vector<std::byte>& bytes) {
  const auto view = EnvelopeView::parse(bytes);
  return view ? ErrorCode{} : view.error().code;
}

// [P-ENV-1]
TEST(Envelope, reads_back_every_field) {
  const auto bytes = sample_envelope();
  const auto view = EnvelopeView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->length(), bytes.size());
  EXPECT_EQ(view->kind(), Kind::request);
  EXPECT_TRUE(view->is_traced());
  EXPECT_EQ(view->message_id(), MessageId(7));
  EXPECT_EQ(view->delivery_id(), DeliveryId(9));
  EXPECT_EQ(view->epoch(), Epoch(9));
  EXPECT_EQ(view->remaining_ms(), 1500U);
  EXPECT_EQ(view->recipient(), 3U);
  EXPECT_EQ(view->code(), ErrorCode{});
  EXPECT_EQ(view->source(), "client/1");
  EXPECT_EQ(view->target(), "critic/alice");
  EXPECT_EQ(view->payload_type(), "demo.Text");
  EXPECT_EQ(find_attribute(view->attributes(), "conversation"), "c-1");
  EXPECT_EQ(as_text(view->payload()), "hello");
}

// [P-ENV-1]
TEST(Envelope, is_little_endian_at_the_documented_offsets) {
  EnvelopeFields fields;
  fields.kind = Kind::error;
  fields.flags = 0x80;
  fields.message_id = 0x0102030405060708;
  fields.delivery_id = 0x1112131415161718;
  fields.remaining_ms = 0x21222324;
  fields.recipient = 0x3132;
  fields.code = ErrorCode::overloaded;
  const auto bytes = encoded(fields);
  ASSERT_EQ(bytes.size(), 48U);
  const std::vector<int> expected{48,   0,    0,  0,    3,    0x80, 48,   0,    8,    7,    6,
                                  5,    4,    3,  2,    1,    0x18, 0x17, 0x16, 0x15, 0x14, 0x13,
                                  0x12, 0x11, 36, 0x23, 0x22, 0x21, 0x32, 0x31, 7,    0};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::to_integer<int>(bytes[i]), i == 24 ? 0x24 : expected[i]) << "offset " << i;
  }
  for (std::size_t i = 32; i < 48; ++i) EXPECT_EQ(std::to_integer<int>(bytes[i]), 0) << "offset " << i;
}

// [P-ENV-2]
TEST(Envelope, cut_at_any_byte_is_invalid) {
  const auto whole = sample_envelope();
  for (std::size_t count = 0; count < whole.size(); ++count) {
    EXPECT_EQ(parse_error(cut(whole, count)), ErrorCode::invalid) << count << " bytes";
  }
}

// [P-ENV-3]
TEST(Envelope, longer_header_of_a_newer_peer_is_skipped) {
  auto bytes = sample_envelope();
  bytes.insert(bytes.begin() + kEnvelopeHeaderBytes, 8, std::byte{0xEE});
  store(bytes.data() + layout::kFixedBytes, static_cast<std::uint16_t>(kEnvelopeHeaderBytes + 8));
  store(bytes.data() + layout::kLength, static_cast<std::uint32_t>(bytes.size()));
  const auto view = EnvelopeView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source(), "client/1");
  EXPECT_EQ(as_text(view->payload()), "hello");
}

// [P-ENV-3]
TEST(Envelope, bytes_behind_the_payload_belong_to_the_envelope_and_are_ignored) {
  auto bytes = sample_envelope();
  bytes.insert(bytes.end(), 11, std::byte{0xEE});
  store(bytes.data() + layout::kLength, static_cast<std::uint32_t>(bytes.size()));
  const auto view = EnvelopeView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->bytes().size(), bytes.size());
  EXPECT_EQ(as_text(view->payload()), "hello");
}

// [P-ENV-2]
TEST(Envelope, shorter_header_than_48_bytes_is_invalid) {
  for (std::uint16_t fixed : std::initializer_list<std::uint16_t>{0, 1, 47}) {
    auto bytes = sample_envelope();
    store(bytes.data() + layout::kFixedBytes, fixed);
    EXPECT_EQ(parse_error(bytes), ErrorCode::invalid);
  }
}

// [P-ENV-2]
TEST(Envelope, parts_that_exceed_the_length_are_invalid) {
  for (std::size_t field : {layout::kSourceBytes, layout::kTargetBytes, layout::kTypeBytes, layout::kAttributesBytes,
                            layout::kPayloadBytes, layout::kFixedBytes}) {
    auto bytes = sample_envelope();
    store(bytes.data() + field, static_cast<std::uint16_t>(load<std::uint16_t>(bytes.data() + field) + 1));
    EXPECT_EQ(parse_error(bytes), ErrorCode::invalid) << "offset " << field;
  }
}

// [P-ENV-2]
TEST(Envelope, huge_length_fields_are_refused_without_reading_further) {
  auto bytes = sample_envelope();
  store(bytes.data() + layout::kLength, std::uint32_t{0xFFFFFFFF});
  EXPECT_EQ(parse_error(bytes), ErrorCode::invalid);
  bytes = sample_envelope();
  store(bytes.data() + layout::kPayloadBytes, std::uint32_t{0xFFFFFFFF});
  EXPECT_EQ(parse_error(bytes), ErrorCode::too_large);
  bytes = sample_envelope();
  store(bytes.data() + layout::kFixedBytes, std::uint16_t{0xFFFF});
  EXPECT_EQ(parse_error(bytes), ErrorCode::invalid);
}

// [P-KND-1]
TEST(Envelope, of_an_unknown_kind_is_readable_so_that_it_can_be_skipped) {
  for (int kind : {0, 8, 15, 37, 200, 255}) {
    auto bytes = sample_envelope();
    bytes[layout::kKind] = static_cast<std::byte>(kind);
    const auto view = EnvelopeView::parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(to_string(view->kind()), "unknown") << kind;
  }
}

// [P-KND-2]
TEST(Envelope, kind_below_16_is_data) {
  EXPECT_TRUE(is_data(Kind::request));
  EXPECT_TRUE(is_data(Kind::cancel));
  EXPECT_FALSE(is_data(Kind::hello));
  EXPECT_FALSE(is_data(Kind::evict));
}

TEST(Envelope, every_kind_has_its_own_name) {
  EXPECT_EQ(to_string(Kind::request), "request");
  EXPECT_EQ(to_string(Kind::cancel), "cancel");
  EXPECT_EQ(to_string(Kind::hello), "hello");
  EXPECT_EQ(to_string(Kind::credit), "credit");
  EXPECT_EQ(to_string(Kind::query), "query");
  EXPECT_EQ(to_string(Kind::done), "done");
  EXPECT_EQ(to_string(Kind::evict), "evict");
  EXPECT_EQ(to_string(Kind::operate), "operate");
  EXPECT_EQ(to_string(Kind::inspect), "inspect");
}

struct LimitCase {
  const char* name;
  std::string_view EnvelopeFields::* text;
  std::size_t max;
};

class EnvelopeTextLimit : public testing::TestWithParam<LimitCase> {};

// [P-LIM-1] [P-LIM-2] [P-LIM-3]
TEST_P(EnvelopeTextLimit, holds_for_writer_and_reader) {
  const auto& [name, text, max] = GetParam();
  EnvelopeFields fields;
  const std::string longest(max, 'a');
  fields.*text = longest;
  ByteBuffer out;
  ASSERT_TRUE(append_envelope(out, fields));
  EXPECT_TRUE(EnvelopeView::parse(out.bytes()));

  const std::string too_long(max + 1, 'a');
  fields.*text = too_long;
  ByteBuffer untouched;
  const auto result = append_envelope(untouched, fields);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid);
  EXPECT_TRUE(untouched.is_empty());
}

INSTANTIATE_TEST_SUITE_P(all, EnvelopeTextLimit,
                         testing::Values(LimitCase{"source", &EnvelopeFields::source, kMaxAddressBytes},
                                         LimitCase{"target", &EnvelopeFields::target, kMaxAddressBytes},
                                         LimitCase{"payload_type", &EnvelopeFields::payload_type,
                                                   kMaxPayloadTypeBytes}),
                         [](const auto& limit) { return std::string(limit.param.name); });

/// An envelope whose length fields are true, whatever they are.
std::vector<std::byte> oversized(std::size_t field, std::size_t part_bytes) {
  std::vector<std::byte> bytes = encoded({});
  bytes.resize(bytes.size() + part_bytes);
  store(bytes.data() + layout::kLength, static_cast<std::uint32_t>(bytes.size()));
  if (field == layout::kPayloadBytes) {
    store(bytes.data() + field, static_cast<std::uint32_t>(part_bytes));
  } else {
    store(bytes.data() + field, static_cast<std::uint16_t>(part_bytes));
  }
  return bytes;
}

// [P-LIM-2] [P-LIM-3]
TEST(Envelope, reader_refuses_addresses_and_type_names_over_the_limit) {
  EXPECT_EQ(parse_error(oversized(layout::kSourceBytes, kMaxAddressBytes)), ErrorCode{});
  EXPECT_EQ(parse_error(oversized(layout::kSourceBytes, kMaxAddressBytes + 1)), ErrorCode::invalid);
  EXPECT_EQ(parse_error(oversized(layout::kTargetBytes, kMaxAddressBytes + 1)), ErrorCode::invalid);
  EXPECT_EQ(parse_error(oversized(layout::kTypeBytes, kMaxPayloadTypeBytes)), ErrorCode{});
  EXPECT_EQ(parse_error(oversized(layout::kTypeBytes, kMaxPayloadTypeBytes + 1)), ErrorCode::invalid);
}

// [P-LIM-4] [P-LIM-5]
TEST(Envelope, attributes_and_payload_over_the_limit_are_too_large_for_writer_and_reader) {
  EXPECT_EQ(parse_error(oversized(layout::kAttributesBytes, kMaxAttributesBytes)), ErrorCode{});
  EXPECT_EQ(parse_error(oversized(layout::kAttributesBytes, kMaxAttributesBytes + 1)), ErrorCode::too_large);
  EXPECT_EQ(parse_error(oversized(layout::kPayloadBytes, kMaxPayloadBytes)), ErrorCode{});
  EXPECT_EQ(parse_error(oversized(layout::kPayloadBytes, kMaxPayloadBytes + 1)), ErrorCode::too_large);

  const std::vector<std::byte> much(kMaxPayloadBytes + 1);
  ByteBuffer out;
  EnvelopeFields fields;
  fields.payload = much;
  EXPECT_EQ(append_envelope(out, fields).error().code, ErrorCode::too_large);
  fields.payload = {};
  fields.attributes = Bytes(much).first(kMaxAttributesBytes + 1);
  EXPECT_EQ(append_envelope(out, fields).error().code, ErrorCode::too_large);
  EXPECT_TRUE(out.is_empty());
}

// [P-LIM-1]
TEST(Envelope, with_every_part_at_its_limit_fits_into_one_frame) {
  const std::string address(kMaxAddressBytes, 'a');
  const std::string type(kMaxPayloadTypeBytes, 't');
  const std::vector<std::byte> attributes(kMaxAttributesBytes);
  const std::vector<std::byte> payload(kMaxPayloadBytes);
  EnvelopeFields fields;
  fields.source = fields.target = address;
  fields.payload_type = type;
  fields.attributes = attributes;
  fields.payload = payload;
  ByteBuffer out;
  begin_bundle(out, SessionToken(1));
  ASSERT_TRUE(append_envelope(out, fields));
  EXPECT_LE(out.size(), kMaxFrameBytes);
}

// [P-ENV-4]
TEST(Envelope, patching_changes_only_the_named_field) {
  const auto before = sample_envelope();
  auto after = before;
  patch_message_id(after.data(), 70);
  patch_delivery_id(after.data(), 90);
  patch_remaining_ms(after.data(), 1);
  patch_recipient(after.data(), 4);
  const auto view = EnvelopeView::parse(after);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->message_id(), MessageId(70));
  EXPECT_EQ(view->delivery_id(), DeliveryId(90));
  EXPECT_EQ(view->remaining_ms(), 1U);
  EXPECT_EQ(view->recipient(), 4U);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (i < layout::kMessageId || i >= layout::kCode) {
      EXPECT_EQ(before[i], after[i]) << "offset " << i;
    }
  }
}

}  // namespace
}  // namespace parley::wire
