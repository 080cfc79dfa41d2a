// Frames as ZeroMQ messages, without copying the large ones. Any thread.
#pragma once

#include <zmq.hpp>

#include "libmsg/core/byte_buffer.hpp"

namespace parley::net {

/// Below it a frame is copied: libzmq would pin an 8 KiB read buffer under it, and its free function costs more.
inline constexpr std::size_t kCopyBelowBytes = 8192;

/// Takes a large frame's memory; leaves a small one as it is, to be used again.
[[nodiscard]] zmq::message_t to_message(ByteBuffer& frame);

}  // namespace parley::net
