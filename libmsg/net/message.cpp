#include "libmsg/net/message.hpp"

#include <memory>
#include <utility>

namespace parley::net {
namespace {

void delete_buffer(void* /*data*/, void* hint) { delete static_cast<ByteBuffer*>(hint); }

}  // namespace

zmq::message_t to_message(ByteBuffer& frame) {
  if (frame.size() < kCopyBelowBytes) return {frame.data(), frame.size()};
  auto owner = std::make_unique<ByteBuffer>(std::move(frame));
  zmq::message_t message(owner->data(), owner->size(), delete_buffer, owner.get());
  owner.release();  // NOLINT(bugprone-unused-return-value): the message owns it now
  return message;
}

}  // namespace parley::net
