#include "libmsg/wire/envelope.hpp"

#include <array>

namespace parley::wire {
namespace {

constexpr std::array<std::string_view, 8> kDataNames{"",     "request", "reply", "error",
                                                     "part", "send",    "event", "cancel"};
constexpr std::array<std::string_view, 21> kControlNames{
    "hello",  "welcome",       "reset",           "goodbye",     "drain",       "heartbeat", "heartbeat_ack",
    "credit", "register_type", "unregister_type", "subscribe",   "unsubscribe", "query",     "accepted",
    "done",   "activate",      "passivate",       "deactivated", "evict",       "operate",   "inspect"};

}  // namespace

std::string_view to_string(Kind kind) {
  const auto number = static_cast<std::size_t>(kind);
  if (number > 0 && number < kDataNames.size()) return kDataNames.at(number);
  if (number >= 16 && number - 16 < kControlNames.size()) return kControlNames.at(number - 16);
  return "unknown";
}

Result<EnvelopeView> EnvelopeView::parse(Bytes bytes) {
  if (bytes.size() < kEnvelopeHeaderBytes) return fail(ErrorCode::invalid, "envelope is shorter than its header");
  const EnvelopeView view(bytes.data());
  const std::size_t length = view.length();
  const std::size_t fixed = load<std::uint16_t>(bytes.data() + layout::kFixedBytes);
  if (length > bytes.size()) return fail(ErrorCode::invalid, "envelope is longer than its bundle");
  if (fixed < kEnvelopeHeaderBytes) return fail(ErrorCode::invalid, "envelope header is too short");
  if (view.source_bytes() > kMaxAddressBytes || view.target_bytes() > kMaxAddressBytes) {
    return fail(ErrorCode::invalid, "envelope address is too long");
  }
  if (view.type_bytes() > kMaxPayloadTypeBytes) return fail(ErrorCode::invalid, "payload type name is too long");
  if (view.attributes_bytes() > kMaxAttributesBytes) return fail(ErrorCode::too_large, "attributes are too large");
  if (view.payload_bytes() > kMaxPayloadBytes) return fail(ErrorCode::too_large, "payload is too large");
  const std::size_t needed = fixed + view.source_bytes() + view.target_bytes() + view.type_bytes() +
                             view.attributes_bytes() + view.payload_bytes();
  if (needed > length) return fail(ErrorCode::invalid, "envelope parts exceed its length");
  return view;
}

Result<> append_envelope(ByteBuffer& out, const EnvelopeFields& fields) {
  if (fields.source.size() > kMaxAddressBytes || fields.target.size() > kMaxAddressBytes) {
    return fail(ErrorCode::invalid, "an address is longer than " + std::to_string(kMaxAddressBytes) + " bytes");
  }
  if (fields.payload_type.size() > kMaxPayloadTypeBytes) {
    return fail(ErrorCode::invalid,
                "a payload type name is longer than " + std::to_string(kMaxPayloadTypeBytes) + " bytes");
  }
  if (fields.attributes.size() > kMaxAttributesBytes) {
    return fail(ErrorCode::too_large,
                "the attributes take more than " + std::to_string(kMaxAttributesBytes) + " bytes");
  }
  if (fields.payload.size() > kMaxPayloadBytes) {
    return fail(ErrorCode::too_large, "a payload of " + std::to_string(fields.payload.size()) +
                                          " bytes exceeds the limit of " + std::to_string(kMaxPayloadBytes));
  }
  const std::size_t length = kEnvelopeHeaderBytes + fields.source.size() + fields.target.size() +
                             fields.payload_type.size() + fields.attributes.size() + fields.payload.size();
  std::byte* const header = out.grow(length);
  store(header + layout::kLength, static_cast<std::uint32_t>(length));
  store(header + layout::kKind, static_cast<std::uint8_t>(fields.kind));
  store(header + layout::kFlags, fields.flags);
  store(header + layout::kFixedBytes, static_cast<std::uint16_t>(kEnvelopeHeaderBytes));
  store(header + layout::kMessageId, fields.message_id);
  store(header + layout::kDeliveryId, fields.delivery_id);
  store(header + layout::kRemainingMs, fields.remaining_ms);
  store(header + layout::kRecipient, fields.recipient);
  store(header + layout::kCode, static_cast<std::uint16_t>(fields.code));
  store(header + layout::kSourceBytes, static_cast<std::uint16_t>(fields.source.size()));
  store(header + layout::kTargetBytes, static_cast<std::uint16_t>(fields.target.size()));
  store(header + layout::kTypeBytes, static_cast<std::uint16_t>(fields.payload_type.size()));
  store(header + layout::kAttributesBytes, static_cast<std::uint16_t>(fields.attributes.size()));
  store(header + layout::kPayloadBytes, static_cast<std::uint32_t>(fields.payload.size()));
  store(header + layout::kReserved, std::uint32_t{0});
  std::byte* to = header + kEnvelopeHeaderBytes;
  for (Bytes part : {as_bytes(fields.source), as_bytes(fields.target), as_bytes(fields.payload_type), fields.attributes,
                     fields.payload}) {
    if (part.empty()) continue;
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  return {};
}

namespace {

constexpr std::size_t kAttributeHeaderBytes = 3;

/// Takes one entry off the front; nullopt when it is malformed.
std::optional<Attribute> take_attribute(Bytes& rest) {
  if (rest.size() < kAttributeHeaderBytes) return std::nullopt;
  const std::size_t name_bytes = load<std::uint8_t>(rest.data());
  const std::size_t value_bytes = load<std::uint16_t>(rest.data() + 1);
  const Bytes parts = rest.subspan(kAttributeHeaderBytes);
  if (name_bytes == 0 || parts.size() < name_bytes + value_bytes) return std::nullopt;
  const Attribute entry{as_text(parts.first(name_bytes)), as_text(parts.subspan(name_bytes, value_bytes))};
  rest = parts.subspan(name_bytes + value_bytes);
  return entry;
}

}  // namespace

Result<> append_attribute(ByteBuffer& out, std::string_view name, std::string_view value) {
  if (name.empty() || name.size() > kMaxAttributeNameBytes) {
    return fail(ErrorCode::invalid, "an attribute name must have 1 to 255 bytes");
  }
  if (out.size() + kAttributeHeaderBytes + name.size() + value.size() > kMaxAttributesBytes) {
    return fail(ErrorCode::too_large,
                "the attributes take more than " + std::to_string(kMaxAttributesBytes) + " bytes");
  }
  std::size_t count = 0;
  for (Bytes rest = out.bytes(); take_attribute(rest); ++count) {
  }
  if (count >= kMaxAttributes) {
    return fail(ErrorCode::too_large, "more than " + std::to_string(kMaxAttributes) + " attributes");
  }
  std::byte* const head = out.grow(kAttributeHeaderBytes);
  store(head, static_cast<std::uint8_t>(name.size()));
  store(head + 1, static_cast<std::uint16_t>(value.size()));
  out.append(name);
  out.append(value);
  return {};
}

Result<std::vector<Attribute>> parse_attributes(Bytes encoded) {
  std::vector<Attribute> entries;
  while (!encoded.empty()) {
    const auto entry = take_attribute(encoded);
    if (!entry || entries.size() == kMaxAttributes) return fail(ErrorCode::invalid, "malformed attributes");
    entries.push_back(*entry);
  }
  return entries;
}

void append_details(ByteBuffer& out, const ErrorDetails& details) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const auto& [name, value] : details) {
    bytes += name.size() + value.size();
    if (++count > kMaxErrorDetails || bytes > kMaxErrorDetailBytes) return;
    // Refused: a name that is too long, or no room among the other attributes.
    (void)append_attribute(out, std::string(attribute::kDetailPrefix) + name, value);
  }
}

ErrorDetails parse_details(Bytes encoded) {
  ErrorDetails details;
  if (encoded.empty()) return details;
  const Result<std::vector<Attribute>> all = parse_attributes(encoded);
  if (!all) return details;
  for (const auto& [name, value] : *all) {
    if (!name.starts_with(attribute::kDetailPrefix) || details.size() == kMaxErrorDetails) continue;
    details.emplace_back(name.substr(attribute::kDetailPrefix.size()), value);
  }
  return details;
}

std::optional<std::string_view> find_attribute(Bytes encoded, std::string_view name) {
  while (!encoded.empty()) {
    const auto entry = take_attribute(encoded);
    if (!entry) return std::nullopt;
    if (entry->first == name) return entry->second;
  }
  return std::nullopt;
}

}  // namespace parley::wire
