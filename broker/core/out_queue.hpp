// What the broker has for one peer, as frames that are ready to go: envelopes are written straight into bundles, so
// sending is handing out bytes. Two queues: the session's own business (WELCOME, HEARTBEAT_ACK, ACCEPTED, …), which
// costs no credit and goes first, and data, which waits for the peer's credit. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::broker {

/// Emptied frame buffers for reuse, a bounded number of them.
class BufferPool {
 public:
  /// An empty buffer with room for `bytes`.
  [[nodiscard]] ByteBuffer take(std::size_t bytes);
  void give(ByteBuffer buffer);

 private:
  std::vector<ByteBuffer> free_;
};

/// Where an envelope lies in a frame queue; frames are numbered through.
struct QueuePosition {
  std::uint32_t frame = 0;
  std::uint32_t offset = 0;
};

/// An envelope that was just queued; `bytes` may be patched until the next one is.
struct Queued {
  QueuePosition position;
  std::byte* bytes = nullptr;
};

/// Frames in order, the last one open for more envelopes until it is full.
class FrameQueue {
 public:
  FrameQueue(SessionToken token, BufferPool& pool) : token_(token), pool_(&pool) {}

  /// The frame that the next envelope of `bytes` goes into; the caller appends and then calls added().
  ByteBuffer& open(std::size_t bytes);
  void added() {
    bytes_ += frames_.back().size() - counted_;
    counted_ = frames_.back().size();
  }
  /// Copies an encoded envelope and says where it lies.
  Queued append(Bytes envelope);

  /// The envelope at a position, or null when its frame has been sent.
  [[nodiscard]] std::byte* at(QueuePosition position);
  [[nodiscard]] bool is_empty() const { return first_ == frames_.size(); }
  [[nodiscard]] ByteBuffer& front() { return frames_[first_]; }
  [[nodiscard]] const ByteBuffer& front() const { return frames_[first_]; }
  /// Drops the front frame, which had `bytes` before the transport took it.
  void pop(std::size_t bytes);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t frames() const { return frames_.size() - first_; }
  /// Takes every unsent frame away, in order.
  [[nodiscard]] std::vector<ByteBuffer> take_all();

 private:
  SessionToken token_;
  BufferPool* pool_;
  std::vector<ByteBuffer> frames_;
  std::size_t first_ = 0;
  std::uint32_t popped_ = 0;
  std::size_t bytes_ = 0;
  /// Bytes of the last frame that bytes_ includes.
  std::size_t counted_ = 0;
  /// Size of the last frame sent, which the next one will likely have, too.
  std::size_t expected_ = 0;
};

class OutQueue {
 public:
  OutQueue(SessionToken token, std::uint64_t credit, BufferPool& pool)
      : data_(token, pool), control_(token, pool), credit_(credit) {}

  [[nodiscard]] FrameQueue& data() { return data_; }
  [[nodiscard]] const FrameQueue& data() const { return data_; }
  [[nodiscard]] FrameQueue& control() { return control_; }

  /// Echoed at the next flush; a newer time stamp replaces it.
  void set_heartbeat(std::uint64_t stamp) { heartbeat_ = stamp; }
  /// Listed in ACCEPTED at the next flush.
  void accept(std::uint64_t message_id, std::uint32_t recipients);
  /// Turns what is pending into control frames, unless older ones still wait.
  void seal_control();

  /// The peer has consumed this many bytes of data frames in all. Nonsense (backwards, more than was sent) is ignored.
  void on_credit(std::uint64_t consumed);
  /// True when the front data frame fits the credit, or nothing is outstanding.
  [[nodiscard]] bool may_send_data() const;
  void data_sent(std::size_t bytes) {
    sent_ += bytes;
    if (!waiting_since_.empty()) waiting_since_.pop_front();
  }
  /// The data frames that are queued now have to wait; the time is to be taken off what they carry.
  void note_wait(TimePoint now) { waiting_since_.resize(data_.frames(), now); }
  /// True when the front data frame had to wait.
  [[nodiscard]] bool has_waited() const { return !waiting_since_.empty(); }
  /// How long the front data frame has had to wait.
  [[nodiscard]] Duration oldest_waiting(TimePoint now) const {
    return has_waited() ? std::max(now - waiting_since_.front(), Duration::zero()) : Duration::zero();
  }

  /// Everything that waits.
  [[nodiscard]] std::size_t bytes() const { return data_.bytes() + control_.bytes() + accepted_.size(); }
  /// True when something could go out now.
  [[nodiscard]] bool is_ready() const;

 private:
  FrameQueue data_;
  FrameQueue control_;
  ByteBuffer accepted_;
  std::optional<std::uint64_t> heartbeat_;
  std::uint64_t credit_;
  std::uint64_t sent_ = 0;
  std::uint64_t consumed_ = 0;
  /// Of the data frames at the front that had to wait, since when. A list: of most sessions it is always empty.
  std::list<TimePoint> waiting_since_;
};

}  // namespace parley::broker
