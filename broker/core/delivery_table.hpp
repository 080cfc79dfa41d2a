// Every message that the broker has taken over and not yet seen the end of, one slot each. A slot's number and its
// generation make the delivery id on the wire, so an answer finds its caller without a search and a late one is
// recognised. Slots are chained where they wait (a worker's session, a parked type, a held activation).
// One thread.
#pragma once

#include <cstdint>

#include "broker/core/slab.hpp"
#include "libmsg/core/byte_buffer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/ids.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::broker {

/// Where a delivery is now.
enum class Place : std::uint8_t {
  free,        ///< the slot is not in use
  routing,     ///< on its way to one of the places below
  worker,      ///< in the out queue of a worker's session, or with the worker
  parked,      ///< its agent type has no worker now
  held,        ///< its activation is being put away
  recovering,  ///< the broker has just restarted and waits for its workers
};

struct Delivery {
  std::uint32_t generation = 0;
  Place place = Place::free;
  wire::Kind kind = wire::Kind::request;
  bool has_timer = false;
  /// An explicit deadline of a one-way message; without one only its waiting is bounded.
  bool has_deadline = false;
  std::uint32_t origin = kNil;      ///< session of the caller; of one-way messages only while they are recovering
  std::uint32_t worker = kNil;      ///< session, when place is worker
  std::uint32_t type = kNil;        ///< agent type addressed, once known
  std::uint32_t activation = kNil;  ///< when place is held or worker; with a worker it may be gone meanwhile
  std::uint64_t message_id = 0;     ///< the caller's
  TimePoint deadline;
  TimePoint waiting_since;  ///< in place parked, held or recovering
  /// Where the envelope lies in the worker's out queue, to take it back while it is unsent.
  std::uint32_t frame = 0;
  std::uint32_t offset = 0;
  std::uint32_t list_previous = kNil;
  std::uint32_t list_next = kNil;
  std::uint32_t timer_previous = kNil;
  std::uint32_t timer_next = kNil;
  std::uint32_t timer_bucket = 0;
  /// The envelope: of every waiting message, and until their end of one-way messages and traced requests.
  ByteBuffer envelope;

  [[nodiscard]] bool is_request() const { return kind == wire::Kind::request; }
};

/// Deliveries in order of arrival, chained through their slots.
struct DeliveryList {
  std::uint32_t head = kNil;
  std::uint32_t tail = kNil;
  std::uint32_t count = 0;
  std::size_t bytes = 0;  ///< of the envelopes kept in the slots
};

class DeliveryTable {
 public:
  /// Ids of this run start at a generation drawn by the caller, so that ids of an earlier run are stale.
  explicit DeliveryTable(std::uint32_t first_generation) : first_generation_(first_generation) {}

  /// A reset slot in place `routing`.
  [[nodiscard]] std::uint32_t add();
  /// The slot must be in no list and have no timer.
  void remove(std::uint32_t slot);

  Delivery& operator[](std::uint32_t slot) { return slots_[slot]; }
  const Delivery& operator[](std::uint32_t slot) const { return slots_[slot]; }

  [[nodiscard]] DeliveryId id_of(std::uint32_t slot) const {
    return DeliveryId((std::uint64_t{slots_[slot].generation} << 32U) | slot);
  }
  /// The slot of an id, or kNil when it is stale or was never given out.
  [[nodiscard]] std::uint32_t find(DeliveryId id) const {
    const auto slot = static_cast<std::uint32_t>(id.value());
    if (slot >= slots_.end()) return kNil;
    const Delivery& delivery = slots_[slot];
    return delivery.place != Place::free && delivery.generation == id.value() >> 32U ? slot : kNil;
  }

  /// The slot of this id is needed soon. Changes nothing.
  void expect(DeliveryId id) const;

  void append(DeliveryList& list, std::uint32_t slot);
  void unlink(DeliveryList& list, std::uint32_t slot);

  [[nodiscard]] std::size_t size() const { return slots_.live(); }
  Slab<Delivery>& slots() { return slots_; }
  [[nodiscard]] const Slab<Delivery>& slots() const { return slots_; }

 private:
  std::uint32_t first_generation_;
  Slab<Delivery> slots_;
};

}  // namespace parley::broker
