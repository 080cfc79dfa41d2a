// Hands what is queued to the transport: control first, then one data bundle per destination and round, so that no
// destination starves behind a busy one. Walks only sessions that have something. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/core/outbox.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

class Flusher {
 public:
  /// Both must outlive the flusher.
  Flusher(State& state, Outbox& outbox) : state_(state), outbox_(outbox) {}

  void flush(FrameSink& sink);
  /// True when the transport refused something: flush again soon.
  [[nodiscard]] bool is_stalled() const { return !stalled_.empty(); }

 private:
  enum class Step : std::uint8_t { more, done, stalled };

  Step send_one(Session& session, FrameSink& sink);
  SendStatus send_front(Session& session, FrameQueue& queue, FrameSink& sink);
  /// What waited for credit or for the transport has less time left now.
  void update_remaining(ByteBuffer& frame) const;
  void send_strangers(FrameSink& sink);

  State& state_;
  Outbox& outbox_;
  std::vector<std::uint32_t> round_;
  std::vector<std::uint32_t> next_;
  /// Sessions that the transport had no room for.
  std::vector<std::uint32_t> stalled_;
};

}  // namespace parley::broker
