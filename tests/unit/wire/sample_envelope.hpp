// Builders for the wire tests: an envelope with every part filled, and raw access to encoded bytes.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::wire {

inline ByteBuffer attribute_map(std::initializer_list<Attribute> entries) {
  ByteBuffer out;
  for (const auto& [name, value] : entries) (void)append_attribute(out, name, value);
  return out;
}

inline std::vector<std::byte> encoded(const EnvelopeFields& fields) {
  ByteBuffer out;
  (void)append_envelope(out, fields);
  return {out.bytes().begin(), out.bytes().end()};
}

/// A request with every part filled.
inline std::vector<std::byte> sample_envelope() {
  const ByteBuffer attributes = attribute_map({{"conversation", "c-1"}});
  EnvelopeFields fields;
  fields.kind = Kind::request;
  fields.flags = kFlagTraced;
  fields.message_id = 7;
  fields.delivery_id = 9;
  fields.remaining_ms = 1500;
  fields.recipient = 3;
  fields.source = "client/1";
  fields.target = "critic/alice";
  fields.payload_type = "demo.Text";
  fields.attributes = attributes.bytes();
  fields.payload = as_bytes("hello");
  return encoded(fields);
}

inline std::vector<std::byte> bundle_of(std::initializer_list<std::vector<std::byte>> envelopes,
                                        std::uint64_t token = 5) {
  ByteBuffer out;
  begin_bundle(out, SessionToken(token));
  for (const auto& envelope : envelopes) out.append(Bytes(envelope));
  return {out.bytes().begin(), out.bytes().end()};
}

/// A copy of exactly `count` bytes, so that a sanitizer sees a read behind its end.
inline std::vector<std::byte> cut(const std::vector<std::byte>& bytes, std::size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace parley::wire
