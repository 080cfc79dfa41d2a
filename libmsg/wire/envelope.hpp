// One message on the wire: a fixed little-endian header, four length-prefixed parts, an opaque payload.
// The routing header is not msgpack: the broker reads it without allocating and cannot be made to throw by it.
// Layout and rules: PROTOCOL.md §Envelope. Pure; any thread on its own bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/wire/limits.hpp"

namespace parley::wire {

/// What an envelope is. Below 16: messages of agents. From 16 on: the session's own. Unknown kinds are skipped.
enum class Kind : std::uint8_t {
  request = 1,  ///< peer → broker → worker; answered by parts, then one reply or error
  reply = 2,    ///< worker → broker → peer; the last word on a request. Also the broker's answer to control requests
  error = 3,    ///< like reply, with an error code; for a one-way delivery: it failed and becomes a dead letter
  part = 4,     ///< worker → broker → peer; one piece of a streamed reply
  send = 5,     ///< peer → broker → worker; direct message without a reply
  event = 6,    ///< peer → broker → workers; a topic message
  cancel = 7,   ///< peer → broker → worker; the caller no longer wants the reply

  hello = 16,          ///< peer → broker; opens a session
  welcome = 17,        ///< broker → peer; grants it
  reset = 18,          ///< broker → peer; the session is unknown: reopen the socket and say HELLO
  goodbye = 19,        ///< either way; the session ends now
  drain = 20,          ///< either way; no new work for this peer, then GOODBYE
  heartbeat = 21,      ///< peer → broker; message_id carries the sender's time stamp
  heartbeat_ack = 22,  ///< broker → peer; echoes the time stamp, which renews the peer's lease
  credit = 23,         ///< peer → broker; message_id carries the bytes of data consumed since WELCOME
  register_type = 24,  ///< peer → broker; control request: host an agent type
  unregister_type = 25,
  subscribe = 26,    ///< peer → broker; control request
  unsubscribe = 27,  ///< peer → broker; control request
  query = 28,        ///< peer → broker; control request: read the broker's state
  accepted = 29,     ///< broker → peer; payload: message ids of one-way messages taken over
  done = 30,         ///< worker → broker; payload: delivery ids of one-way messages handled
  activate = 31,     ///< broker → worker; the agent id in target lives on this worker, epoch in delivery_id
  passivate = 32,    ///< worker → broker: may I put this activation away? broker → worker: you may
  deactivated = 33,  ///< worker → broker; the activation is gone
  evict = 34,        ///< broker → worker; another worker has a newer epoch: drop the activation at once
  operate = 35,      ///< peer → broker; control request: quarantine, release, evict, drain
  inspect = 36,      ///< broker → worker: how is the agent id in target? worker → broker: the vitals of its activation
};

[[nodiscard]] std::string_view to_string(Kind kind);
[[nodiscard]] constexpr bool is_data(Kind kind) { return static_cast<std::uint8_t>(kind) < 16; }

/// Bits of the flags byte. Unknown bits are kept when an envelope is forwarded.
enum Flag : std::uint8_t {
  kFlagTraced = 1U << 0U,  ///< every hop records itself under the `traceparent` attribute
};

inline constexpr std::size_t kEnvelopeHeaderBytes = 48;
inline constexpr std::uint32_t kNoDeadline = 0xFFFFFFFFU;
inline constexpr std::uint16_t kNoRecipient = 0xFFFFU;

namespace layout {
inline constexpr std::size_t kLength = 0;
inline constexpr std::size_t kKind = 4;
inline constexpr std::size_t kFlags = 5;
inline constexpr std::size_t kFixedBytes = 6;
inline constexpr std::size_t kMessageId = 8;
inline constexpr std::size_t kDeliveryId = 16;
inline constexpr std::size_t kRemainingMs = 24;
inline constexpr std::size_t kRecipient = 28;
inline constexpr std::size_t kCode = 30;
inline constexpr std::size_t kSourceBytes = 32;
inline constexpr std::size_t kTargetBytes = 34;
inline constexpr std::size_t kTypeBytes = 36;
inline constexpr std::size_t kAttributesBytes = 38;
inline constexpr std::size_t kPayloadBytes = 40;
inline constexpr std::size_t kReserved = 44;
}  // namespace layout

static_assert(std::endian::native == std::endian::little, "the wire is little-endian and so must the host be");

template <class T>
[[nodiscard]] inline T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
inline void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

/// A checked envelope inside somebody else's bytes; valid as long as they are.
class EnvelopeView {
 public:
  /// Reads the envelope at the start of `bytes`. Every length is checked against the bytes given and against
  /// limits.hpp. Fails with `invalid` (or `too_large`), never throws.
  static Result<EnvelopeView> parse(Bytes bytes);

  [[nodiscard]] std::uint32_t length() const { return load<std::uint32_t>(data_ + layout::kLength); }
  [[nodiscard]] Kind kind() const { return static_cast<Kind>(data_[layout::kKind]); }
  [[nodiscard]] std::uint8_t flags() const { return std::to_integer<std::uint8_t>(data_[layout::kFlags]); }
  [[nodiscard]] bool is_traced() const { return (flags() & kFlagTraced) != 0; }
  [[nodiscard]] MessageId message_id() const { return MessageId(load<std::uint64_t>(data_ + layout::kMessageId)); }
  [[nodiscard]] DeliveryId delivery_id() const { return DeliveryId(load<std::uint64_t>(data_ + layout::kDeliveryId)); }
  /// The same field read as the epoch of ACTIVATE, PASSIVATE, DEACTIVATED and EVICT.
  [[nodiscard]] Epoch epoch() const { return Epoch(load<std::uint64_t>(data_ + layout::kDeliveryId)); }
  /// Milliseconds left when the envelope was written; kNoDeadline for none.
  [[nodiscard]] std::uint32_t remaining_ms() const { return load<std::uint32_t>(data_ + layout::kRemainingMs); }
  /// Index of the addressed agent type in the receiving worker's registration; set by the broker.
  [[nodiscard]] std::uint16_t recipient() const { return load<std::uint16_t>(data_ + layout::kRecipient); }
  [[nodiscard]] ErrorCode code() const { return static_cast<ErrorCode>(load<std::uint16_t>(data_ + layout::kCode)); }
  [[nodiscard]] std::string_view source() const { return text(0, source_bytes()); }
  [[nodiscard]] std::string_view target() const { return text(source_bytes(), target_bytes()); }
  [[nodiscard]] std::string_view payload_type() const { return text(source_bytes() + target_bytes(), type_bytes()); }
  [[nodiscard]] Bytes attributes() const {
    return part(source_bytes() + target_bytes() + type_bytes(), attributes_bytes());
  }
  [[nodiscard]] Bytes payload() const {
    return part(source_bytes() + target_bytes() + type_bytes() + attributes_bytes(), payload_bytes());
  }
  /// The whole envelope, trailing bytes of a newer peer included.
  [[nodiscard]] Bytes bytes() const { return {data_, length()}; }

 private:
  explicit EnvelopeView(const std::byte* data) : data_(data) {}
  [[nodiscard]] std::size_t source_bytes() const { return load<std::uint16_t>(data_ + layout::kSourceBytes); }
  [[nodiscard]] std::size_t target_bytes() const { return load<std::uint16_t>(data_ + layout::kTargetBytes); }
  [[nodiscard]] std::size_t type_bytes() const { return load<std::uint16_t>(data_ + layout::kTypeBytes); }
  [[nodiscard]] std::size_t attributes_bytes() const { return load<std::uint16_t>(data_ + layout::kAttributesBytes); }
  [[nodiscard]] std::size_t payload_bytes() const { return load<std::uint32_t>(data_ + layout::kPayloadBytes); }
  [[nodiscard]] Bytes part(std::size_t offset, std::size_t count) const {
    return {data_ + load<std::uint16_t>(data_ + layout::kFixedBytes) + offset, count};
  }
  [[nodiscard]] std::string_view text(std::size_t offset, std::size_t count) const {
    return as_text(part(offset, count));
  }

  const std::byte* data_;
};

/// What to write; the parts are borrowed until the call returns.
struct EnvelopeFields {
  Kind kind = Kind::request;
  std::uint8_t flags = 0;
  std::uint64_t message_id = 0;
  std::uint64_t delivery_id = 0;
  std::uint32_t remaining_ms = kNoDeadline;
  std::uint16_t recipient = kNoRecipient;
  ErrorCode code{};
  std::string_view source{};
  std::string_view target{};
  std::string_view payload_type{};
  Bytes attributes{};  ///< as append_attribute() made them
  Bytes payload{};
};

/// Appends one encoded envelope. Fails with `too_large` or `invalid` when a part breaks limits.hpp; then nothing is
/// appended.
Result<> append_envelope(ByteBuffer& out, const EnvelopeFields& fields);

/// Rewrites fixed fields of an encoded envelope in place (the broker never re-encodes).
inline void patch_message_id(std::byte* envelope, std::uint64_t id) { store(envelope + layout::kMessageId, id); }
inline void patch_delivery_id(std::byte* envelope, std::uint64_t id) { store(envelope + layout::kDeliveryId, id); }
inline void patch_remaining_ms(std::byte* envelope, std::uint32_t ms) { store(envelope + layout::kRemainingMs, ms); }
inline void patch_recipient(std::byte* envelope, std::uint16_t index) { store(envelope + layout::kRecipient, index); }

using Attribute = std::pair<std::string_view, std::string_view>;

/// Names that the runtime and the broker give a meaning to. Others belong to the application.
namespace attribute {
inline constexpr std::string_view kTraceparent = "traceparent";         ///< W3C trace context
inline constexpr std::string_view kConversation = "conversation";       ///< groups the messages of one conversation
inline constexpr std::string_view kIdempotencyKey = "idempotency-key";  ///< same key, same effect
inline constexpr std::string_view kCallChain = "call-chain";         ///< agent ids waiting, oldest first, joined by \n
inline constexpr std::string_view kRetryAfterMs = "retry-after-ms";  ///< on an error: when to try again
inline constexpr std::string_view kDetailPrefix = "detail-";         ///< on an error: one of its details, by name
}  // namespace attribute

/// Encodes the small string map: per entry u8 name length, u16 value length, name, value.
/// `out` holds nothing but earlier entries. Fails with `invalid` when a name is empty or longer than 255, or
/// `too_large` over the limits; then nothing is appended.
Result<> append_attribute(ByteBuffer& out, std::string_view name, std::string_view value);

/// Decodes all entries; fails with `invalid` on a malformed map.
Result<std::vector<Attribute>> parse_attributes(Bytes encoded);

/// The value of one attribute; nullopt when absent or the map is malformed before it.
[[nodiscard]] std::optional<std::string_view> find_attribute(Bytes encoded, std::string_view name);

/// An error's details among the attributes of its ERROR. Those beyond kMaxErrorDetails, kMaxErrorDetailBytes or the
/// limits of attributes are left out: without them it is still the error.
void append_details(ByteBuffer& out, const ErrorDetails& details);
/// Empty when there are none, or when the map is malformed.
[[nodiscard]] ErrorDetails parse_details(Bytes encoded);

}  // namespace parley::wire
