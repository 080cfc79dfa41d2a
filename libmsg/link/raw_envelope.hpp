// What the link's own sources share: envelopes of this process, back to back, without a look beyond kinds and numbers;
// frames of one control envelope. Any thread.
#pragma once

#include <cstdint>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/wire/bundle.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::link {

/// One envelope of the host's own process: only its length is checked.
struct RawEnvelope {
  Bytes bytes;
  [[nodiscard]] wire::Kind kind() const { return static_cast<wire::Kind>(bytes[wire::layout::kKind]); }
  [[nodiscard]] std::uint64_t message_id() const {
    return wire::load<std::uint64_t>(bytes.data() + wire::layout::kMessageId);
  }
  [[nodiscard]] std::uint32_t remaining_ms() const {
    return wire::load<std::uint32_t>(bytes.data() + wire::layout::kRemainingMs);
  }
};

/// Calls `visit` for each envelope; false when the bytes are not envelopes back to back.
template <class Visit>
bool for_each_envelope(Bytes rest, Visit visit) {
  while (!rest.empty()) {
    if (rest.size() < wire::kEnvelopeHeaderBytes) return false;
    const std::size_t length = wire::load<std::uint32_t>(rest.data());
    if (length < wire::kEnvelopeHeaderBytes || length > rest.size()) return false;
    visit(RawEnvelope{rest.first(length)});
    rest = rest.subspan(length);
  }
  return true;
}

/// Kinds whose message id the peer chose for a request or one-way message of its own.
inline bool is_numbered(wire::Kind kind) {
  switch (kind) {
    case wire::Kind::request:
    case wire::Kind::send:
    case wire::Kind::event:
    case wire::Kind::register_type:
    case wire::Kind::unregister_type:
    case wire::Kind::subscribe:
    case wire::Kind::unsubscribe:
    case wire::Kind::query:
    case wire::Kind::operate:
      return true;
    default:
      return false;
  }
}

/// A bundle of one envelope.
inline ByteBuffer control_frame(SessionToken token, wire::Kind kind, Bytes payload) {
  ByteBuffer frame(wire::kBundleHeaderBytes + wire::kEnvelopeHeaderBytes + payload.size());
  wire::begin_bundle(frame, token);
  // Bodies of this process stay within the limits, so this cannot fail.
  static_cast<void>(wire::append_envelope(frame, {.kind = kind, .payload = payload}));
  return frame;
}

}  // namespace parley::link
