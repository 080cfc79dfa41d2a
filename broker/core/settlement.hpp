// The life of a delivery slot: opened, moved from list to list, and ended exactly once (by an answer, an ERROR, a dead
// letter or a deadline). Whoever ends a delivery does it here, so that nothing of it is left over. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "broker/core/id_text.hpp"
#include "broker/core/outbox.hpp"
#include "broker/core/state.hpp"

namespace parley::broker {

/// Why something cannot be done; nullopt when it was.
using Failure = std::optional<Error>;

/// Until when a message may live.
struct Limit {
  TimePoint deadline;
  bool is_given = false;  ///< by its sender
};

class Settlement {
 public:
  /// Both must outlive the settlement.
  Settlement(State& state, Outbox& outbox) : state_(state), outbox_(outbox) {}

  /// A new delivery in place `routing`, its timer armed.
  std::uint32_t open(const wire::EnvelopeView& envelope, Limit limit);
  /// Keeps a copy of the envelope in the slot, which must be in no list.
  void keep(std::uint32_t slot, Bytes envelope);
  /// Counts the delivery for its agent type.
  void set_type(Delivery& delivery, std::uint32_t type);
  /// Takes a delivery off the list it waits on; its place becomes `routing`.
  void detach(std::uint32_t slot);

  /// Ends a delivery without a word: it was answered.
  void close(std::uint32_t slot);
  /// Ends a delivery that cannot succeed: ERROR to the caller (a hop of `envelope` when it is traced), or a dead letter
  /// of it. Of a request it may be empty.
  void fail(std::uint32_t slot, const Error& error, Bytes envelope);
  /// As above, with the envelope that the slot keeps (requests need none).
  void fail(std::uint32_t slot, const Error& error) { fail(slot, error, state_.deliveries[slot].envelope.bytes()); }
  /// Ends a delivery whose caller is gone.
  void abandon(std::uint32_t slot);
  /// Makes the worker forget a delivery that is about to end otherwise.
  void take_back(std::uint32_t slot);
  /// Ends the deliveries whose deadline has passed.
  void expire_due();
  /// Makes a dead letter. `type` names the recipient of an event; kNil for none.
  void bury(const wire::EnvelopeView& envelope, std::uint32_t type, const Error& error);

 private:
  void expire(std::uint32_t slot);

  State& state_;
  Outbox& outbox_;
  IdText id_;
  std::vector<std::uint32_t> due_;
};

}  // namespace parley::broker
