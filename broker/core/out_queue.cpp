#include "broker/core/out_queue.hpp"

#include <algorithm>
#include <utility>

#include "libmsg/wire/bundle.hpp"

namespace parley::broker {
namespace {

constexpr std::size_t kMaxPooledBuffers = 128;
constexpr std::size_t kMaxPooledBytes = 2 * wire::kBundleTargetBytes;
/// One entry of ACCEPTED: u64 message id, u32 recipients.
constexpr std::size_t kAcceptedEntryBytes = 12;
constexpr std::size_t kAcceptedPerEnvelope = 4096;

}  // namespace

ByteBuffer BufferPool::take(std::size_t bytes) {
  ByteBuffer buffer;
  if (!free_.empty()) {
    buffer = std::move(free_.back());
    free_.pop_back();
  }
  buffer.reserve(bytes);
  return buffer;
}

void BufferPool::give(ByteBuffer buffer) {
  if (free_.size() >= kMaxPooledBuffers || buffer.capacity() == 0 || buffer.capacity() > kMaxPooledBytes) return;
  buffer.clear();
  free_.push_back(std::move(buffer));
}

ByteBuffer& FrameQueue::open(std::size_t bytes) {
  if (is_empty() || frames_.back().size() + bytes > wire::kBundleTargetBytes) {
    frames_.push_back(pool_->take(std::max(expected_, wire::kBundleHeaderBytes + bytes)));
    wire::begin_bundle(frames_.back(), token_);
    bytes_ += frames_.back().size();
    counted_ = frames_.back().size();
  }
  return frames_.back();
}

Queued FrameQueue::append(Bytes envelope) {
  ByteBuffer& frame = open(envelope.size());
  const QueuePosition position{popped_ + static_cast<std::uint32_t>(frames_.size() - 1 - first_),
                               static_cast<std::uint32_t>(frame.size())};
  frame.append(envelope);
  added();
  return {position, frame.data() + position.offset};
}

std::byte* FrameQueue::at(QueuePosition position) {
  const std::uint32_t index = position.frame - popped_;
  if (index >= frames_.size() - first_) return nullptr;
  return frames_[first_ + index].data() + position.offset;
}

void FrameQueue::pop(std::size_t bytes) {
  bytes_ -= bytes;
  expected_ = std::min(bytes, wire::kBundleTargetBytes);
  pool_->give(std::move(frames_[first_]));
  first_++;
  popped_++;
  if (is_empty()) {
    frames_.clear();
    first_ = 0;
  } else if (first_ >= 64 && first_ * 2 >= frames_.size()) {
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

std::vector<ByteBuffer> FrameQueue::take_all() {
  std::vector<ByteBuffer> frames = std::exchange(frames_, {});
  frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(first_));
  popped_ += static_cast<std::uint32_t>(frames.size());
  first_ = 0;
  bytes_ = 0;
  return frames;
}

void OutQueue::accept(std::uint64_t message_id, std::uint32_t recipients) {
  std::byte* const entry = accepted_.grow(kAcceptedEntryBytes);
  wire::store(entry, message_id);
  wire::store(entry + sizeof message_id, recipients);
}

void OutQueue::seal_control() {
  if (!control_.is_empty()) return;
  wire::EnvelopeFields fields;
  if (heartbeat_) {
    fields.kind = wire::Kind::heartbeat_ack;
    fields.message_id = *heartbeat_;
    (void)append_envelope(control_.open(wire::kEnvelopeHeaderBytes), fields);
    control_.added();
    heartbeat_.reset();
  }
  fields.kind = wire::Kind::accepted;
  fields.message_id = 0;
  for (Bytes rest = accepted_.bytes(); !rest.empty();) {
    fields.payload = rest.first(std::min(rest.size(), kAcceptedPerEnvelope * kAcceptedEntryBytes));
    (void)append_envelope(control_.open(wire::kEnvelopeHeaderBytes + fields.payload.size()), fields);
    control_.added();
    rest = rest.subspan(fields.payload.size());
  }
  accepted_.clear();
}

void OutQueue::on_credit(std::uint64_t consumed) {
  if (consumed > consumed_ && consumed <= sent_) consumed_ = consumed;
}

bool OutQueue::may_send_data() const {
  const std::uint64_t outstanding = sent_ - consumed_;
  return outstanding == 0 || (outstanding < credit_ && data_.front().size() <= credit_ - outstanding);
}

bool OutQueue::is_ready() const {
  return !control_.is_empty() || !accepted_.is_empty() || heartbeat_.has_value() ||
         (!data_.is_empty() && may_send_data());
}

}  // namespace parley::broker
