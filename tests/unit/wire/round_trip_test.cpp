// Properties that hold for whatever is inside the limits.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include "libmsg/wire/control.hpp"
#include "tests/unit/wire/sample_envelope.hpp"

namespace parley::wire {
namespace {

using Text = std::string;

rc::Gen<Text> text_up_to(std::size_t max) {
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, max + 1),
                         [](std::size_t size) { return rc::gen::container<Text>(size, rc::gen::arbitrary<char>()); });
}

// [P-ENV-1]
RC_GTEST_PROP(EnvelopeProperty, what_is_written_is_read, ()) {
  const Text source = *text_up_to(kMaxAddressBytes);
  const Text target = *text_up_to(kMaxAddressBytes);
  const Text type = *text_up_to(kMaxPayloadTypeBytes);
  const Text payload = *text_up_to(500);
  const Text attributes = *text_up_to(100);
  EnvelopeFields fields;
  fields.kind = static_cast<Kind>(*rc::gen::arbitrary<std::uint8_t>());
  fields.flags = *rc::gen::arbitrary<std::uint8_t>();
  fields.message_id = *rc::gen::arbitrary<std::uint64_t>();
  fields.delivery_id = *rc::gen::arbitrary<std::uint64_t>();
  fields.remaining_ms = *rc::gen::arbitrary<std::uint32_t>();
  fields.recipient = *rc::gen::arbitrary<std::uint16_t>();
  fields.code = static_cast<ErrorCode>(*rc::gen::arbitrary<std::uint16_t>());
  fields.source = source;
  fields.target = target;
  fields.payload_type = type;
  fields.attributes = as_bytes(attributes);
  fields.payload = as_bytes(payload);

  const auto bytes = encoded(fields);
  const auto view = EnvelopeView::parse(bytes);
  RC_ASSERT(view.has_value());
  RC_ASSERT(view->length() == bytes.size());
  RC_ASSERT(view->kind() == fields.kind);
  RC_ASSERT(view->flags() == fields.flags);
  RC_ASSERT(view->message_id().value() == fields.message_id);
  RC_ASSERT(view->delivery_id().value() == fields.delivery_id);
  RC_ASSERT(view->remaining_ms() == fields.remaining_ms);
  RC_ASSERT(view->recipient() == fields.recipient);
  RC_ASSERT(view->code() == fields.code);
  RC_ASSERT(view->source() == source);
  RC_ASSERT(view->target() == target);
  RC_ASSERT(view->payload_type() == type);
  RC_ASSERT(as_text(view->attributes()) == attributes);
  RC_ASSERT(as_text(view->payload()) == payload);
}

// [P-ATT-1]
RC_GTEST_PROP(AttributesProperty, what_is_written_is_read, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(0, kMaxAttributes + 1);
  ByteBuffer out;
  std::vector<std::pair<Text, Text>> expected;
  for (std::size_t i = 0; i < count; ++i) {
    const Text name = "n" + *text_up_to(20);
    const Text value = *text_up_to(40);
    RC_ASSERT(append_attribute(out, name, value).has_value());
    expected.emplace_back(name, value);
  }
  const auto entries = parse_attributes(out.bytes());
  RC_ASSERT(entries.has_value());
  RC_ASSERT(entries->size() == expected.size());
  for (std::size_t i = 0; i < count; ++i) {
    RC_ASSERT((*entries)[i].first == expected[i].first);
    RC_ASSERT((*entries)[i].second == expected[i].second);
  }
}

// [P-BND-1]
RC_GTEST_PROP(BundleProperty, holds_any_number_of_envelopes, ()) {
  const auto payloads = *rc::gen::container<std::vector<Text>>(text_up_to(60));
  ByteBuffer out;
  begin_bundle(out, SessionToken(1));
  for (const Text& payload : payloads) {
    EnvelopeFields fields;
    fields.payload = as_bytes(payload);
    RC_ASSERT(append_envelope(out, fields).has_value());
  }
  auto bundle = BundleReader::open(out.bytes());
  RC_ASSERT(bundle.has_value());
  for (const Text& payload : payloads) RC_ASSERT(as_text(bundle->next()->payload()) == payload);
  RC_ASSERT(!bundle->next());
  RC_ASSERT(!bundle->error());
}

// [P-ENV-2] [P-BND-2]
RC_GTEST_PROP(BundleProperty, any_bytes_are_walked_or_refused_and_never_read_past_their_end, ()) {
  const auto envelope = sample_envelope();
  auto frame = bundle_of({envelope, envelope, envelope});
  const auto hits = *rc::gen::inRange<std::size_t>(1, 12);
  for (std::size_t i = 0; i < hits; ++i) {
    frame[*rc::gen::inRange<std::size_t>(0, frame.size())] =
        static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
  }
  auto bundle = BundleReader::open(frame);
  if (!bundle) return;
  std::size_t total = 0;
  while (const auto view = bundle->next()) {
    total += view->bytes().size();
    const std::byte* end = frame.data() + frame.size();
    RC_ASSERT(view->bytes().data() + view->length() <= end);
    RC_ASSERT(view->payload().data() + view->payload().size() <= end);
    (void)parse_attributes(view->attributes());
  }
  RC_ASSERT(total <= frame.size());
}

// [P-CTL-1]
RC_GTEST_PROP(ControlProperty, hello_survives_the_wire, ()) {
  Hello sent;
  sent.name = *rc::gen::arbitrary<Text>();
  sent.incarnation = *rc::gen::arbitrary<std::uint64_t>();
  sent.credit_bytes = *rc::gen::arbitrary<std::uint64_t>();
  sent.is_worker = *rc::gen::arbitrary<bool>();
  for (const Text& name : *rc::gen::container<std::vector<Text>>(text_up_to(10))) {
    sent.types.push_back(
        {name, *rc::gen::arbitrary<std::uint16_t>(), {name, "x"}, *rc::gen::arbitrary<std::uint32_t>()});
    sent.subscriptions.push_back({*rc::gen::arbitrary<std::uint64_t>(), name, *rc::gen::arbitrary<bool>(), name});
    sent.activations.push_back({name, *rc::gen::arbitrary<std::uint64_t>()});
  }
  const auto got = decode_body<Hello>(encode_body(sent).bytes());
  RC_ASSERT(got.has_value());
  RC_ASSERT(got->name == sent.name);
  RC_ASSERT(got->incarnation == sent.incarnation);
  RC_ASSERT(got->credit_bytes == sent.credit_bytes);
  RC_ASSERT(got->types == sent.types);
  RC_ASSERT(got->subscriptions == sent.subscriptions);
  RC_ASSERT(got->activations == sent.activations);
}

// [P-CTL-4]
RC_GTEST_PROP(ControlProperty, any_bytes_are_decoded_or_refused, ()) {
  const auto noise = *rc::gen::arbitrary<Text>();
  (void)decode_body<Hello>(as_bytes(noise));
  const ByteBuffer body = encode_body(Welcome{});
  Text damaged(body.text());
  damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] = static_cast<char>(*rc::gen::arbitrary<std::uint8_t>());
  (void)decode_body<Welcome>(as_bytes(damaged));
}

}  // namespace
}  // namespace parley::wire
