// Every size limit of the wire, in one place. PROTOCOL.md §Limits lists them; WELCOME announces those that a broker
// may configure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parley::wire {

/// A frame larger than this closes the connection (ZMQ_MAXMSGSIZE).
inline constexpr std::size_t kMaxFrameBytes = std::size_t{8} * 1024 * 1024;
/// A sender starts a new bundle when the next envelope would not fit; one larger envelope travels alone.
inline constexpr std::size_t kBundleTargetBytes = std::size_t{64} * 1024;
/// Whoever has read or written so much passes on what came of it before the rest, so that the next hop works meanwhile.
inline constexpr std::size_t kStepBytes = kBundleTargetBytes / 2;
/// Largest payload of one envelope; leaves room for every other part of the frame.
inline constexpr std::size_t kMaxPayloadBytes = kMaxFrameBytes - (std::size_t{64} * 1024);
/// Largest encoded attribute map.
inline constexpr std::size_t kMaxAttributesBytes = std::size_t{16} * 1024;
inline constexpr std::size_t kMaxAttributes = 64;
inline constexpr std::size_t kMaxAttributeNameBytes = 255;
/// Source and target: type, `/`, key.
inline constexpr std::size_t kMaxAddressBytes = 128 + 1 + 256;
inline constexpr std::size_t kMaxPayloadTypeBytes = 128;
/// Agents in one call chain; one more is answered with `deadlock`.
inline constexpr std::size_t kMaxCallChain = 16;
/// Activations listed in one HELLO part.
inline constexpr std::size_t kMaxActivationsPerHello = 512;
/// Largest msgpack body of a control envelope.
inline constexpr std::size_t kMaxControlBodyBytes = std::size_t{1024} * 1024;

}  // namespace parley::wire
