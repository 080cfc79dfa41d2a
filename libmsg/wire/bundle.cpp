#include "libmsg/wire/bundle.hpp"

namespace parley::wire {

void begin_bundle(ByteBuffer& out, SessionToken token) {
  std::byte* const header = out.grow(kBundleHeaderBytes);
  store(header, kBundleMagic0);
  store(header + 1, kBundleMagic1);
  store(header + 2, kProtocolVersion);
  store(header + 3, static_cast<std::uint8_t>(kBundleHeaderBytes));
  store(header + 4, std::uint32_t{0});
  store(header + 8, token.value());
}

Result<BundleReader> BundleReader::open(Bytes frame) {
  if (frame.size() < kBundleHeaderBytes) return fail(ErrorCode::invalid, "frame is shorter than a bundle header");
  if (load<std::uint8_t>(frame.data()) != kBundleMagic0 || load<std::uint8_t>(frame.data() + 1) != kBundleMagic1) {
    return fail(ErrorCode::invalid, "frame is not a Parley bundle");
  }
  if (load<std::uint8_t>(frame.data() + 2) != kProtocolVersion) {
    return fail(ErrorCode::invalid, "bundle version " + std::to_string(load<std::uint8_t>(frame.data() + 2)) +
                                        " is not " + std::to_string(kProtocolVersion));
  }
  const std::size_t header_bytes = load<std::uint8_t>(frame.data() + 3);
  if (header_bytes < kBundleHeaderBytes || header_bytes > frame.size()) {
    return fail(ErrorCode::invalid, "bundle header length is wrong");
  }
  return BundleReader(frame.subspan(header_bytes), SessionToken(load<std::uint64_t>(frame.data() + 8)));
}

std::optional<EnvelopeView> BundleReader::next() {
  if (rest_.empty() || error_) return std::nullopt;
  const auto envelope = EnvelopeView::parse(rest_);
  if (!envelope) {
    error_ = envelope.error();
    return std::nullopt;
  }
  rest_ = rest_.subspan(envelope->length());
  return *envelope;
}

}  // namespace parley::wire
