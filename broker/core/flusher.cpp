#include "broker/core/flusher.hpp"

#include <algorithm>

#include "libmsg/wire/bundle.hpp"

namespace parley::broker {

void Flusher::flush(FrameSink& sink) {
  send_strangers(sink);
  round_.clear();
  std::swap(round_, state_.dirty);
  round_.insert(round_.end(), stalled_.begin(), stalled_.end());
  stalled_.clear();
  while (!round_.empty()) {
    next_.clear();
    for (const std::uint32_t slot : round_) {
      Session* const session = state_.sessions.all()[slot].get();
      if (session == nullptr || !session->is_dirty) continue;
      switch (send_one(*session, sink)) {
        case Step::more:
          next_.push_back(slot);
          break;
        case Step::stalled:
          stalled_.push_back(slot);
          break;
        case Step::done:
          session->is_dirty = false;
          break;
      }
    }
    std::swap(round_, next_);
  }
}

Flusher::Step Flusher::send_one(Session& session, FrameSink& sink) {
  OutQueue& out = session.out;
  out.seal_control();
  if (!out.control().is_empty()) {
    const SendStatus status = send_front(session, out.control(), sink);
    if (status != SendStatus::sent) return status == SendStatus::full ? Step::stalled : Step::done;
    if (!out.control().is_empty()) return Step::more;
  }
  if (out.data().is_empty()) return Step::done;
  if (!out.may_send_data()) {
    out.note_wait(state_.now);
    return Step::done;
  }
  if (out.has_waited()) update_remaining(out.data().front());
  const std::size_t bytes = out.data().front().size();
  const SendStatus status = send_front(session, out.data(), sink);
  if (status != SendStatus::sent) return status == SendStatus::full ? Step::stalled : Step::done;
  out.data_sent(bytes);
  return out.is_ready() ? Step::more : Step::done;
}

SendStatus Flusher::send_front(Session& session, FrameQueue& queue, FrameSink& sink) {
  const std::size_t bytes = queue.front().size();
  const SendStatus status = sink.send(session.peer, queue.front());
  if (status == SendStatus::sent) {
    queue.pop(bytes);
    state_.counters.frames_out++;
    state_.counters.bytes_out += bytes;
  } else if (status == SendStatus::full) {
    session.out.note_wait(state_.now);
  } else {
    outbox_.doom(session, "the connection broke", state_.parting_of_gone());
  }
  return status;
}

void Flusher::update_remaining(ByteBuffer& frame) const {
  auto bundle = wire::BundleReader::open(frame.bytes());
  if (!bundle) return;
  while (const auto envelope = bundle->next()) {
    if (envelope->remaining_ms() == wire::kNoDeadline || !wire::is_data(envelope->kind())) continue;
    const std::uint32_t slot = state_.deliveries.find(envelope->delivery_id());
    if (slot == kNil) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(state_.deliveries[slot].deadline - state_.now);
    std::byte* const bytes = frame.data() + (envelope->bytes().data() - frame.data());
    wire::patch_remaining_ms(bytes, static_cast<std::uint32_t>(std::max<std::int64_t>(left.count(), 0)));
  }
}

void Flusher::send_strangers(FrameSink& sink) {
  for (StrangerFrame& stranger : state_.strangers) {
    const std::size_t bytes = stranger.frame.size();
    if (sink.send(stranger.peer, stranger.frame) == SendStatus::sent) {
      state_.counters.frames_out++;
      state_.counters.bytes_out += bytes;
    } else {
      state_.counters.discarded_frames++;
    }
  }
  state_.strangers.clear();
}

}  // namespace parley::broker
