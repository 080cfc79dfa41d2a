// Several envelopes in one ZeroMQ frame: a 16-byte header and the envelopes back to back. Bundling is why the bus is
// fast: an idle sender ships single envelopes at once, a busy one amortises the cost of a frame over many.
// Layout and rules: PROTOCOL.md §Bundle. Pure; any thread on its own bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::wire {

inline constexpr std::size_t kBundleHeaderBytes = 16;
inline constexpr std::uint8_t kBundleMagic0 = 0x50;  // 'P'
inline constexpr std::uint8_t kBundleMagic1 = 0x59;  // 'Y'
inline constexpr std::uint8_t kProtocolVersion = 1;

/// Starts a bundle in an empty buffer; envelopes are appended behind it with append_envelope().
void begin_bundle(ByteBuffer& out, SessionToken token);

/// Rewrites the token of a bundle that was begun before its session was known.
inline void patch_token(std::byte* bundle, SessionToken token) { store(bundle + 8, token.value()); }

/// Walks the envelopes of one received frame.
///
///     auto bundle = BundleReader::open(frame);        // header checked
///     while (auto envelope = bundle->next()) { … }    // nullopt at the end or at the first malformed envelope
///     if (bundle->error()) …                          // what was wrong; envelopes before it were good
class BundleReader {
 public:
  /// Fails with `invalid` when the magic, the version or the header length is wrong.
  static Result<BundleReader> open(Bytes frame);

  [[nodiscard]] SessionToken token() const { return token_; }
  std::optional<EnvelopeView> next();
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  BundleReader(Bytes rest, SessionToken token) : rest_(rest), token_(token) {}
  Bytes rest_;
  SessionToken token_;
  std::optional<Error> error_;
};

}  // namespace parley::wire
