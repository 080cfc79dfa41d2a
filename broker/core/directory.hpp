// Which worker has which agent id: the soft state that PROTOCOL.md calls the directory. Made for a million entries (one
// slab slot, one 12-byte index bucket and one string each) and for a lookup by string_view that allocates nothing.
// One thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <tsl/robin_set.h>

#include "broker/core/delivery_table.hpp"
#include "broker/core/hash.hpp"
#include "broker/core/slab.hpp"
#include "libmsg/core/ids.hpp"

namespace parley::broker {

/// A live instance of an agent id on one worker.
struct Activation {
  std::unique_ptr<char[]> id_text;
  std::uint16_t id_bytes = 0;
  std::uint16_t recipient = wire::kNoRecipient;  ///< the type's index in its worker's registration
  bool is_passivating = false;                   ///< granted to be put away: new messages are held
  bool is_announced = false;                     ///< by HELLO, under an epoch of before; nothing was sent to it since
  bool is_leaving = false;                       ///< its worker has unregistered its type
  std::uint32_t worker = kNil;                   ///< session; kNil: fenced
  std::uint32_t type = kNil;
  Epoch epoch;
  /// Neighbours among the activations of the worker.
  std::uint32_t previous = kNil;
  std::uint32_t next = kNil;
  /// Messages held while it is being put away; null otherwise.
  std::unique_ptr<DeliveryList> held;

  [[nodiscard]] std::string_view id() const { return {id_text.get(), id_bytes}; }
  /// False for a slot that is free.
  [[nodiscard]] bool is_live() const { return id_text != nullptr; }
};

/// The activations of one worker.
struct ActivationList {
  std::uint32_t head = kNil;
  std::uint32_t count = 0;
};

class Directory {
 public:
  explicit Directory(HashSeed seed) : index_(0, Hash{&slots_, TextHash(seed)}, Equal{&slots_}) {}
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] std::uint32_t find(std::string_view id) const {
    const auto it = index_.find(id);
    return it == index_.end() ? kNil : *it;
  }
  /// Adds an id that must not be there, at the front of its worker's `list`.
  std::uint32_t add(std::string_view id, ActivationList& list);
  /// Its held list must be gone. `list` is the one it was added to.
  void remove(std::uint32_t slot, ActivationList& list);

  /// From one list to the front of another.
  void move(std::uint32_t slot, ActivationList& from, ActivationList& to);

  Activation& operator[](std::uint32_t slot) { return slots_[slot]; }
  const Activation& operator[](std::uint32_t slot) const { return slots_[slot]; }
  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  void link(std::uint32_t slot, ActivationList& list);
  void unlink(std::uint32_t slot, ActivationList& list);

  struct Hash {
    using is_transparent = void;
    const Slab<Activation>* slots;
    TextHash text;
    std::size_t operator()(std::string_view id) const { return text(id); }
    std::size_t operator()(std::uint32_t slot) const { return text((*slots)[slot].id()); }
  };
  struct Equal {
    using is_transparent = void;
    const Slab<Activation>* slots;
    bool operator()(std::uint32_t left, std::uint32_t right) const { return left == right; }
    bool operator()(std::string_view id, std::uint32_t slot) const { return (*slots)[slot].id() == id; }
    bool operator()(std::uint32_t slot, std::string_view id) const { return (*slots)[slot].id() == id; }
  };

  Slab<Activation> slots_;
  tsl::robin_set<std::uint32_t, Hash, Equal, std::allocator<std::uint32_t>, true> index_;
};

}  // namespace parley::broker
