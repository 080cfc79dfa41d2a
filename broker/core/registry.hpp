// The agent types that the broker knows: who hosts them, with which capabilities, what waits for them. A type outlives
// its workers for a while, so that a restart parks its messages instead of failing them. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/delivery_table.hpp"
#include "broker/core/hash.hpp"
#include "broker/core/quarantine.hpp"
#include "libmsg/wire/control.hpp"

namespace parley::broker {

/// How fit a worker is for new activations of a type, best first.
enum class Fitness : std::uint8_t { good, degraded, unfit };

/// One worker's offer to host a type.
struct Hosting {
  std::uint32_t session = kNil;
  std::uint16_t recipient = wire::kNoRecipient;
  std::uint32_t capacity = 1;
  std::uint32_t activations = 0;
  bool is_open = false;  ///< takes new activations: its session is not draining
  Fitness fitness = Fitness::good;
};

struct AgentType {
  std::uint32_t index = kNil;
  std::string name;
  std::vector<std::string> capabilities;
  std::vector<Hosting> hostings;
  /// Unregistered by its last worker on purpose: unknown again, though deliveries may still be under way.
  bool is_retired = false;
  TimePoint last_hosted;
  /// Waiting for a worker, in order.
  DeliveryList parked;
  /// Parked, and held for an activation of this type.
  std::uint32_t waiting = 0;
  std::size_t waiting_bytes = 0;
  /// Subscriptions of workers that were lost, kept until the type is hosted again.
  std::vector<wire::SubscriptionBody> orphans;
  /// Activations at workers that have unregistered the type, until they are put away.
  std::uint32_t leaving = 0;
  std::uint64_t inflight = 0;  ///< deliveries of any place
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;

  [[nodiscard]] bool is_known() const { return !hostings.empty() || !is_retired; }
  [[nodiscard]] Hosting* hosting_of(std::uint32_t session);
  /// Of the fittest open workers the one with the fewest activations for its capacity; null when there is none.
  [[nodiscard]] Hosting* least_loaded();
};

class Registry {
 public:
  explicit Registry(HashSeed seed) : names_(0, TextHash(seed)), capable_(0, TextHash(seed)) {}

  /// The type of that name, known or retired; null when there is none.
  [[nodiscard]] AgentType* find(std::string_view name);
  [[nodiscard]] AgentType& at(std::uint32_t index) { return *types_[index]; }

  /// Adds or replaces what one session offers.
  AgentType& add_hosting(const wire::TypeRegistration& offer, std::uint32_t session, bool is_open);
  /// Returns true when that was the last one.
  bool remove_hosting(AgentType& type, std::uint32_t session, TimePoint now);
  /// The type must have no hosting, no activation, nothing waiting and nothing in flight.
  void forget(AgentType& type);

  /// The type to send a `@capability` message to: least in flight among those with an open worker, else any that is
  /// known, one in quarantine only when there is no other; null when nobody offers it.
  [[nodiscard]] AgentType* find_capable(std::string_view capability, const Quarantines& quarantines);
  /// Up to three names close to `name`, for an error's text: " (did you mean 'a' or 'b'?)", or empty.
  [[nodiscard]] std::string suggestion(std::string_view name) const;

  /// Every type, by index; null where one was forgotten.
  [[nodiscard]] const std::vector<std::unique_ptr<AgentType>>& all() const { return types_; }
  [[nodiscard]] std::size_t size() const { return names_.size(); }

 private:
  void set_capabilities(AgentType& type, const std::vector<std::string>& capabilities);

  std::vector<std::unique_ptr<AgentType>> types_;
  std::vector<std::uint32_t> free_;
  TextMap<std::uint32_t> names_;
  TextMap<std::vector<std::uint32_t>> capable_;
};

/// Insertions, deletions, substitutions and swaps of neighbours between two texts, or `limit` when there are more.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right, std::size_t limit);

}  // namespace parley::broker
