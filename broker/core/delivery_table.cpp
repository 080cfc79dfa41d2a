#include "broker/core/delivery_table.hpp"

namespace parley::broker {
namespace {

/// A freed slot keeps a buffer up to this size for the next one-way message.
constexpr std::size_t kKeptEnvelopeBytes = 512;

constexpr std::size_t kCacheLineBytes = 64;
/// With many messages under way the slots are more than a cache holds: each is asked for a few messages before it is
/// needed, and its buffer when the slot itself has arrived.
constexpr std::size_t kSlotAhead = 6;
constexpr std::size_t kBufferAhead = 3;

void prefetch(const Delivery& delivery) {
  const auto* const bytes = reinterpret_cast<const std::byte*>(&delivery);
  for (std::size_t at = 0; at < sizeof delivery; at += kCacheLineBytes) __builtin_prefetch(bytes + at, 1);
}

}  // namespace

std::uint32_t DeliveryTable::add() {
  const std::uint32_t slot = slots_.add();
  if (const Delivery* const later = slots_.upcoming(kSlotAhead)) prefetch(*later);
  if (const Delivery* const soon = slots_.upcoming(kBufferAhead)) __builtin_prefetch(soon->envelope.data(), 1);
  Delivery& delivery = slots_[slot];
  if (delivery.generation == 0) delivery.generation = first_generation_;
  if (++delivery.generation == 0) delivery.generation = 1;
  delivery.place = Place::routing;
  delivery.has_timer = false;
  delivery.has_deadline = false;
  delivery.origin = kNil;
  delivery.worker = kNil;
  delivery.type = kNil;
  delivery.activation = kNil;
  return slot;
}

void DeliveryTable::expect(DeliveryId id) const {
  const auto slot = static_cast<std::uint32_t>(id.value());
  if (slot < slots_.end()) prefetch(slots_[slot]);
}

void DeliveryTable::remove(std::uint32_t slot) {
  Delivery& delivery = slots_[slot];
  delivery.place = Place::free;
  if (delivery.envelope.capacity() > kKeptEnvelopeBytes) delivery.envelope = ByteBuffer();
  delivery.envelope.clear();
  slots_.remove(slot);
}

void DeliveryTable::append(DeliveryList& list, std::uint32_t slot) {
  Delivery& delivery = slots_[slot];
  delivery.list_previous = list.tail;
  delivery.list_next = kNil;
  if (list.tail == kNil) {
    list.head = slot;
  } else {
    slots_[list.tail].list_next = slot;
  }
  list.tail = slot;
  list.count++;
  list.bytes += delivery.envelope.size();
}

void DeliveryTable::unlink(DeliveryList& list, std::uint32_t slot) {
  const Delivery& delivery = slots_[slot];
  if (delivery.list_previous == kNil) {
    list.head = delivery.list_next;
  } else {
    slots_[delivery.list_previous].list_next = delivery.list_next;
  }
  if (delivery.list_next == kNil) {
    list.tail = delivery.list_previous;
  } else {
    slots_[delivery.list_next].list_previous = delivery.list_previous;
  }
  list.count--;
  list.bytes -= delivery.envelope.size();
}

}  // namespace parley::broker
