#include "broker/core/directory.hpp"

namespace parley::broker {

std::uint32_t Directory::add(std::string_view id, ActivationList& list) {
  const std::uint32_t slot = slots_.add();
  Activation& entry = slots_[slot];
  entry.id_text = std::make_unique_for_overwrite<char[]>(id.size());
  std::memcpy(entry.id_text.get(), id.data(), id.size());
  entry.id_bytes = static_cast<std::uint16_t>(id.size());
  entry.is_passivating = false;
  entry.is_announced = false;
  entry.is_leaving = false;
  link(slot, list);
  index_.insert(slot);
  return slot;
}

void Directory::remove(std::uint32_t slot, ActivationList& list) {
  index_.erase(slot);
  unlink(slot, list);
  slots_[slot].id_text.reset();
  slots_.remove(slot);
}

void Directory::move(std::uint32_t slot, ActivationList& from, ActivationList& to) {
  unlink(slot, from);
  link(slot, to);
}

void Directory::link(std::uint32_t slot, ActivationList& list) {
  Activation& entry = slots_[slot];
  entry.previous = kNil;
  entry.next = list.head;
  if (list.head != kNil) slots_[list.head].previous = slot;
  list.head = slot;
  list.count++;
}

void Directory::unlink(std::uint32_t slot, ActivationList& list) {
  const Activation& entry = slots_[slot];
  if (entry.next != kNil) slots_[entry.next].previous = entry.previous;
  if (entry.previous == kNil) {
    list.head = entry.next;
  } else {
    slots_[entry.previous].next = entry.next;
  }
  list.count--;
}

}  // namespace parley::broker
