// What becomes of a batch that finds its queue full: each message that somebody waits for is answered with an error, so
// that no call ends in silence. Pure; any thread.
#pragma once

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/error.hpp"

namespace parley::net {

struct Refused {
  /// A bundle (token zero) with one ERROR for each request, one-way message and control request; empty when there was
  /// none.
  ByteBuffer answers;
  /// The other envelopes, in order: replies and the like.
  ByteBuffer rest;
};

[[nodiscard]] Refused refuse(Bytes envelopes, const Error& why);

/// What is sent instead of a `rest` that finds no room either: one ERROR for each delivery whose reply or a part of it
/// is lost, so that nobody takes the remainder of a stream for the whole of it. What is small by nature stays.
[[nodiscard]] ByteBuffer shorten(Bytes rest, const Error& why);

}  // namespace parley::net
