// One received frame and the memory under it. Small frames are copied on arrival: a ZeroMQ message of 34 B to 8 KiB
// pins an 8 KiB read buffer for as long as it lives. Move-only; one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/ids.hpp"

namespace parley::net {

class Frame {
 public:
  using Owner = std::unique_ptr<void, void (*)(void*)>;

  explicit Frame(ByteBuffer content) : copy_(std::move(content)) {}
  /// `content` must live as long as `owner`.
  Frame(Owner owner, Bytes content) : owner_(std::move(owner)), borrowed_(content) {}

  [[nodiscard]] Bytes bytes() const { return owner_ ? borrowed_ : copy_.bytes(); }

 private:
  ByteBuffer copy_;
  Owner owner_{nullptr, [](void*) {}};
  Bytes borrowed_;
};

}  // namespace parley::net
